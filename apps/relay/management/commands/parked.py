"""`manage.py parked`: what nobody could use, and why."""

import asyncio
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from apps.accounts.management.one_line import OneLineCommand
from apps.audit.journal import note
from devstack.credentials import amqp_url
from workers.broker import BAD, NO_SUCH_QUEUE, BrokerLost, Channel, Delivery, connect, parse_addresses
from workers.options import refuse

SHOWN_CHARACTERS = 200
MOST_AT_ONCE = 500
ANSWER_SECONDS = 10.0


class Command(OneLineCommand):
    help = "List the messages that are parked in RabbitMQ because nobody could use them. They stay there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forget", action="store_true", help="remove them from RabbitMQ, once they are listed")

    def handle(self, *args: Any, forget: bool, **_options: Any) -> None:
        try:
            count = asyncio.run(self._handle(forget=forget))
        except TimeoutError:
            refuse(f"RabbitMQ does not answer within {ANSWER_SECONDS:.0f} s")
        except BrokerLost as lost:
            refuse("nothing is parked: RabbitMQ is not prepared yet" if lost.code == NO_SUCH_QUEUE else str(lost))
        if forget and count:
            note("parked.forget", count=count)

    async def _handle(self, *, forget: bool) -> int:
        """How many are listed."""
        async with asyncio.timeout(ANSWER_SECONDS):
            connection = await connect(parse_addresses(_broker()))
            channel = await connection.open_channel()
        try:
            return await self._list(channel, forget=forget)
        finally:
            await connection.close()

    async def _list(self, channel: Channel, *, forget: bool) -> int:
        count = 0
        while page := await _take(channel):
            for delivery in page:
                self.stdout.write(_line(delivery))
            count += len(page)
            _settle(channel, page, forget=forget)
            if not forget:
                break
        self.stdout.write(_summary(count, forget=forget))
        return count


def _broker() -> str:
    """The one that everything here uses; without RABBITMQ_URL the private one."""
    if not settings.RABBITMQ_URL and not settings.SECRETS:
        refuse("RABBITMQ_URL is not set, and there is no private broker yet: run bin/dev")
    return str(settings.RABBITMQ_URL or amqp_url(settings.SECRETS, "relay"))


async def _take(channel: Channel) -> Sequence[Delivery]:
    """What is there, up to a page; nobody else is given it meanwhile."""
    page: list[Delivery] = []
    while len(page) < MOST_AT_ONCE and (delivery := await channel.get(BAD)):
        page.append(delivery)
    return page


def _settle(channel: Channel, page: Sequence[Delivery], *, forget: bool) -> None:
    for delivery in page:
        if forget:
            channel.ack(delivery.tag)
        else:
            channel.give_back(delivery.tag)


def _line(delivery: Delivery) -> str:
    headers = delivery.headers
    why = headers.get("x-why") or headers.get("x-first-death-reason") or "unknown"
    source = headers.get("x-source") or headers.get("x-first-death-queue") or "unknown"
    start = delivery.body[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]
    return f"{_shown(why)}\n  from {_shown(source)}, {len(delivery.body):,} bytes: {_shown(start)}"


def _shown(text: object) -> str:
    """Whoever sent it may have meant it for the terminal."""
    return str(text) if str(text).isprintable() else ascii(str(text))[1:-1]


def _summary(count: int, *, forget: bool) -> str:
    what = "1 message" if count == 1 else f"{count:,} messages"
    if not count:
        return "Nothing is parked."
    if forget:
        return f"{what} removed."
    return f"The first {what}; there may be more." if count == MOST_AT_ONCE else f"{what} parked."
