"""How many messages wait in a queue of RabbitMQ: asked on a channel of its own, which asking for a missing one ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from apps.relay.aside import Aside
from workers.broker import BrokerLost

if TYPE_CHECKING:
    from workers.broker import Connection

ANSWER_SECONDS = 10.0  # out of memory or disk, the broker reads nothing from a connection that publishes


class Depths:
    def __init__(self) -> None:
        self._aside = Aside()

    def begin(self, broker: Connection) -> None:
        """On a fresh connection."""
        self._aside.begin(broker)

    async def of(self, queue: str) -> int:
        """Its messages that no consumer has been given. Raises BrokerLost (404: no such queue)."""
        return (await self.look_at(queue))[0]

    async def look_at(self, queue: str) -> tuple[int, int]:
        """The same, and its consumers."""
        try:
            async with self._aside.alone(), asyncio.timeout(ANSWER_SECONDS):
                return await (await self._aside.channel()).look_at(queue)
        except TimeoutError:
            raise BrokerLost(f"no answer within {ANSWER_SECONDS:.0f} s") from None
