"""Brings back work that the broker has lost: by a purge, with a deleted queue or a lost disk.

Time alone never rescues a task, for that would run live work twice. A task is handed over again when nobody can have it
any more: its queue was seen without a message; whatever had been taken from it by then is recorded, as a canary shows
that was sent afterwards and has come home; and nothing has happened to the task all the while.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from apps.relay.lost import Suspect, rescue, suspects
from apps.tasks.clock import database_now
from workers.broker import NO_SUCH_QUEUE, BrokerLost, tasks_queue
from workers.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from apps.relay.canary import Canary
    from apps.relay.database import Database
    from apps.relay.depths import Depths

log = get_logger()

# The broker believes in the connection of a stopped host, and in the deliveries it holds, for up to 40 s.
LOST_AFTER = timedelta(seconds=60)
LOOK_SECONDS = 5.0
# A worker says within milliseconds what it has begun; one that the broker had cut off comes back within seconds.
SETTLE_SECONDS = 5.0
CANARY_SECONDS = 30.0


class Reconciler:
    """`on_missing` is awaited when a queue is not there: nobody else may notice while nothing is due in it."""

    def __init__(
        self,
        database: Database,
        depths: Depths,
        canary: Canary,
        queues: Callable[[], Collection[str]],
        on_missing: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._depths = depths
        self._canary = canary
        self._queues = queues
        self._on_missing = on_missing

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except BrokerLost:
                continue  # the publisher says it

    async def look(self) -> None:
        """Once. Raises BrokerLost."""
        lost_before = await self._database.run(database_now) - LOST_AFTER
        found = await self._suspects(await self._empty(self._queues()), lost_before)
        # Once more: until it was known which are suspect, one of them may have come back to its queue.
        empty = await self._empty({each.queue for each in found})
        if not empty:
            return
        await asyncio.sleep(SETTLE_SECONDS)
        if await self._canary.comes_home(CANARY_SECONDS):
            lost = found & await self._suspects(empty, lost_before)
            await self._database.run(partial(rescue, lost))
            _say(lost)

    async def _suspects(self, queues: Collection[str], lost_before: datetime) -> set[Suspect]:
        return await self._database.run(partial(suspects, queues, lost_before))

    async def _empty(self, queues: Collection[str]) -> set[str]:
        return {queue for queue in queues if await self._is_empty(queue)}

    async def _is_empty(self, queue: str) -> bool:
        try:
            return not await self._depths.of(tasks_queue(queue))
        except BrokerLost as lost:
            if lost.code != NO_SUCH_QUEUE:
                raise
            await self._on_missing()
            return True


def _say(lost: Collection[Suspect]) -> None:
    for queue, count in sorted(Counter(each.queue for each in lost).items()):
        log.warning(
            "tasks.rescued",
            text="{count} task(s) of the queue {queue} were lost on the way; they are handed over again",
            count=count,
            queue=queue,
        )
