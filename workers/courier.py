"""Brings chunks of artifacts to RabbitMQ, on a connection of its own, so that outcomes never wait behind them."""

import asyncio
from collections.abc import Sequence

from workers.broker import ARTIFACTS_EXCHANGE, ARTIFACTS_KEY, Address, retries
from workers.log import get_logger
from workers.publisher import Message, Publisher, Verdict

log = get_logger()


class Courier:
    def __init__(self, addresses: Sequence[Address]) -> None:
        self._publisher = Publisher(addresses)
        self._wanted = asyncio.Event()
        self._refusal_said = ""

    async def run(self) -> None:
        """Connects when the first artifact comes; most workers never have one."""
        await self._wanted.wait()
        await self._publisher.run()

    async def deliver(self, body: bytes, headers: dict[str, str]) -> None:
        """Returns when the broker has it on disk."""
        self._wanted.set()
        message = Message(exchange=ARTIFACTS_EXCHANGE, routing_key=ARTIFACTS_KEY, body=body, headers=headers)
        async for _ in retries():
            await self._publisher.ready()
            (verdict,) = await self._publisher.publish([message])
            if verdict is Verdict.CONFIRMED:
                self._refusal_said = ""
                return
            self._say(verdict)

    def _say(self, verdict: Verdict) -> None:
        if verdict.name != self._refusal_said and verdict is not Verdict.UNCERTAIN:
            self._refusal_said = verdict.name
            log.warning(
                "artifact.waiting", text="artifacts wait, and their tasks with them: {reason}", reason=verdict.value
            )
