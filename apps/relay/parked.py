"""How many messages are parked in the broker, for a person to look at."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from workers.broker import BAD, BrokerLost

if TYPE_CHECKING:
    from apps.relay.depths import Depths

EVERY_SECONDS = 5.0


class Parked:
    def __init__(self, depths: Depths) -> None:
        self._depths = depths
        self._count = 0

    @property
    def sentence(self) -> str:
        """Empty when there are none."""
        if not self._count:
            return ""
        what = (
            "1 message that nobody could use is"
            if self._count == 1
            else f"{self._count:,} messages that nobody could use are"
        )
        return f"{what} parked in RabbitMQ: ./manage.py parked shows what is wrong."

    async def run(self) -> None:
        """Asks now and then, for ever."""
        while True:
            with contextlib.suppress(BrokerLost):  # the publisher says it
                self._count = await self._depths.of(BAD)
            await asyncio.sleep(EVERY_SECONDS)
