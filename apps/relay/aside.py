"""A channel for what the broker may answer by ending the channel: used by one at a time, opened again when it ended."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from workers.broker import BrokerLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from workers.broker import Channel, Connection


class Aside:
    def __init__(self) -> None:
        self.connection: Connection | None = None
        self._channel: Channel | None = None
        self._one_at_a_time = asyncio.Lock()  # else the end of the channel would be the answer to others as well

    def begin(self, connection: Connection) -> None:
        """On a fresh connection."""
        self.connection, self._channel = connection, None

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody else uses the channel meanwhile."""
        async with self._one_at_a_time:
            yield

    async def channel(self) -> Channel:
        """For whoever is alone with it. Raises BrokerLost."""
        if self.connection is None:
            raise BrokerLost("not connected")
        if self._channel is None or not self._channel.is_open:
            self._channel = await self.connection.open_channel()
        return self._channel
