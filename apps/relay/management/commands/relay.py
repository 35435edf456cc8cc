"""`manage.py relay`: runs the relay until SIGTERM."""

import asyncio
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.relay.rounds import Relay
from workers.broker import BadAddress, parse_addresses


class Command(BaseCommand):
    help = "Carries due tasks from the database to RabbitMQ, until SIGTERM. Waits for either as long as it is away."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **_options: Any) -> None:
        try:
            addresses = parse_addresses(settings.RABBITMQ_URL)
        except BadAddress as error:
            self.stderr.write(f"error: {error}")
            sys.exit(2)
        asyncio.run(_run(Relay(addresses)))


HURRY_SECONDS = 2.0
STOP_SECONDS = 4.0  # honcho kills after 5


async def _run(relay: Relay) -> None:
    running = asyncio.ensure_future(relay.run())
    loop = asyncio.get_running_loop()

    def stop() -> None:
        relay.stop()
        loop.call_later(HURRY_SECONDS, relay.hurry)
        loop.call_later(STOP_SECONDS, running.cancel)

    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stop)
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()
