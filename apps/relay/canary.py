"""The canary: a message without content that the relay sends through the whole path of the outcomes.

Once it is recorded, so is whatever was in that path before it. `apps.queues.health` notes its arrival.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

from apps.queues import health
from apps.tasks.clock import database_now
from workers.broker import OUTCOMES_EXCHANGE, OUTCOMES_KEY
from workers.messages import EventBatch
from workers.publisher import Message, Publisher, Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from apps.relay.database import Database

NAME = "millrace.relay"
EVERY_SECONDS = 5.0
LATE_SECONDS = 10.0
ASK_SECONDS = 0.25
REMEMBERED = 1_000


class Canary:
    """`on_missing` is awaited when the queue of the outcomes is not there."""

    def __init__(self, publisher: Publisher, database: Database, on_missing: Callable[[], Awaitable[None]]) -> None:
        self._publisher = publisher
        self._database = database
        self._on_missing = on_missing
        self._out: deque[tuple[datetime, float]] = deque()  # when sent, by the database's clock and by ours

    @property
    def is_late(self) -> bool:
        return bool(self._out) and time.monotonic() - self._out[0][1] > LATE_SECONDS

    async def run(self) -> None:
        """Sends one now and then, for ever, and after a connect: only who sends is told that the broker has no room."""
        while True:
            self._publisher.reconnected.clear()
            await self.send()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._publisher.reconnected.wait()
            await self._welcome()

    async def comes_home(self, timeout_seconds: float) -> bool:
        """Sends one; whether it is recorded in time."""
        sent_at = await self.send()
        deadline = time.monotonic() + timeout_seconds
        while sent_at and time.monotonic() < deadline:
            home = await self._welcome()
            if home and home >= sent_at:
                return True
            await asyncio.sleep(ASK_SECONDS)
        return False

    async def send(self) -> datetime | None:
        """When, by the database's clock; None: the broker does not have it."""
        now = await self._database.run(database_now)
        body = EventBatch(worker=NAME, canary=now.timestamp()).encode()
        (verdict,) = await self._publisher.publish(
            [Message(exchange=OUTCOMES_EXCHANGE, routing_key=OUTCOMES_KEY, body=body)]
        )
        if verdict is Verdict.UNROUTABLE:
            await self._on_missing()
        if verdict is not Verdict.CONFIRMED:
            return None
        if len(self._out) < REMEMBERED:
            self._out.append((now, time.monotonic()))
        return now

    async def _welcome(self) -> datetime | None:
        """When the last one sent of those that are home was sent."""
        home = await self._database.run(health.canary_home)
        while home and self._out and self._out[0][0] <= home:
            self._out.popleft()
        return home
