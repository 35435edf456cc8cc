"""Looks how much lies in each queue of the broker, for the page that holds it against what the database counts."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from apps.queues import broker_looks
from workers.broker import ARTIFACTS, BAD, DEAD, NO_SUCH_QUEUE, OUTCOMES, BrokerLost, tasks_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from apps.relay.database import Database
    from apps.relay.depths import Depths

EVERY_SECONDS = 5.0
SHARED = (OUTCOMES, ARTIFACTS, DEAD, BAD)


class Looking:
    def __init__(self, database: Database, depths: Depths, queues: Callable[[], Collection[str]]) -> None:
        self._database = database
        self._depths = depths
        self._queues = queues

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self._look()
            except BrokerLost:
                continue  # the publisher says it

    async def _look(self) -> None:
        shared = {name: await self._held(name) for name in SHARED}
        of_tasks = {tasks_queue(queue): (queue, await self._held(tasks_queue(queue))) for queue in self._queues()}
        await self._database.run(partial(broker_looks.note, shared, of_tasks))

    async def _held(self, name: str) -> tuple[int, int] | None:
        """None: there is no such queue."""
        try:
            return await self._depths.look_at(name)
        except BrokerLost as lost:
            if lost.code != NO_SUCH_QUEUE:
                raise
            return None
