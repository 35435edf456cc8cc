"""Tells the workers which queues are paused and who is to drain or stop: when that changes, and again now and then.

It is told whole each time. So it does not matter what somebody has missed, or which relay told it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from apps.queues import orders
from apps.relay.seat import rest
from workers.broker import CONTROL_EXCHANGE
from workers.publisher import Message, Verdict

if TYPE_CHECKING:
    from apps.relay.database import Database
    from workers.messages import Orders
    from workers.publisher import Publisher

LOOK_SECONDS = 0.5
AGAIN_SECONDS = 5.0
HEARD = (Verdict.CONFIRMED, Verdict.UNROUTABLE)  # without a worker there is nobody to tell


class OrderTeller:
    """`news`: set when anything in the database has changed."""

    def __init__(self, publisher: Publisher, database: Database, news: asyncio.Event) -> None:
        self._publisher = publisher
        self._database = database
        self._news = news
        self._told: Orders | None = None
        self._told_at = 0.0

    async def run(self) -> None:
        """For ever."""
        while True:
            self._news.clear()
            current = await self._database.run(orders.current)
            if self._publisher.connected and (
                current != self._told or time.monotonic() - self._told_at > AGAIN_SECONDS
            ):
                await self._tell(current)
            await rest(self._news, LOOK_SECONDS, AGAIN_SECONDS)

    async def _tell(self, current: Orders) -> None:
        (verdict,) = await self._publisher.publish(
            [Message(exchange=CONTROL_EXCHANGE, routing_key="", body=current.encode())]
        )
        if verdict in HEARD:
            self._told, self._told_at = current, time.monotonic()
