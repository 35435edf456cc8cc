"""How many messages wait in a queue of RabbitMQ: asked on a channel of its own, which asking for a missing one ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from workers.broker import BrokerLost

if TYPE_CHECKING:
    from workers.broker import Channel, Connection

ANSWER_SECONDS = 10.0  # out of memory or disk, the broker reads nothing from a connection that publishes


class Depths:
    def __init__(self) -> None:
        self._broker: Connection | None = None
        self._channel: Channel | None = None
        self._one_at_a_time = asyncio.Lock()  # else the end of the channel would be the answer to others as well

    def begin(self, broker: Connection) -> None:
        """On a fresh connection."""
        self._broker, self._channel = broker, None

    async def of(self, queue: str) -> int:
        """Its messages that no consumer has been given. Raises BrokerLost (404: no such queue)."""
        try:
            async with self._one_at_a_time, asyncio.timeout(ANSWER_SECONDS):
                channel = await self._open_channel()
                ready, _ = await channel.look_at(queue)
        except TimeoutError:
            raise BrokerLost(f"no answer within {ANSWER_SECONDS:.0f} s") from None
        return ready

    async def _open_channel(self) -> Channel:
        if self._broker is None:
            raise BrokerLost("not connected")
        if self._channel is None or not self._channel.is_open:
            self._channel = await self._broker.open_channel()
        return self._channel
