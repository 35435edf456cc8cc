"""The relay's work: round after round it carries what is due to the broker, and marks what the broker has confirmed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import psycopg
from django.db import DatabaseError, InterfaceError, connection

from apps.queues import health
from apps.relay import schedule, seat
from apps.relay.declared import Declared
from apps.tasks.clock import database_now
from workers.broker import TASKS_EXCHANGE, BrokerLost, Connection
from workers.log import get_logger
from workers.messages import AGAIN_HEADER, TaskMessage
from workers.pace import Pace
from workers.publisher import Message, Publisher, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from apps.relay.schedule import Due
    from workers.broker import Address

T = TypeVar("T")
log = get_logger()

BATCH = 500
SWEEP_SECONDS = 0.25
BEAT_SECONDS = 4.0
GAP_SECONDS = 0.02  # between two rounds when busy, so that batches grow
PAUSE_SECONDS = 1.0  # after the database was found away

DATABASE_AWAY = (DatabaseError, InterfaceError, psycopg.Error)


class Relay:
    """Carries until cancelled. Waits for the broker and the database as long as they are away, and says so once."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._publisher = Publisher(addresses, prepare=self._declare)
        # One thread has the database: a slow answer never holds up a heartbeat to the broker.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._pace = Pace(GAP_SECONDS)
        self._schedule = schedule.Schedule()
        self._declared = Declared()
        self._uncertain: set[tuple[int, int]] = set()
        self._database_away = False
        self._stopping = False

    def stop(self) -> None:
        """Finish the round and leave."""
        self._stopping = True

    async def run(self) -> None:
        while not self._stopping:
            try:
                async with seat.taken() as held:
                    await self._serve(held)
            except DATABASE_AWAY as error:
                if not self._database_away:
                    log.warning("relay.database_away", text="waiting for the database: {reason}", reason=error)
                self._database_away = True
                await self._database(_close_connection)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _serve(self, held: seat.Seat) -> None:
        publishing = asyncio.create_task(self._publisher.run())
        beating = asyncio.create_task(self._beat())
        # Whatever was due before may have been published by a relay that died before it could mark it.
        taken_at = await self._database(database_now)
        doubtful: defaultdict[str, int] = defaultdict(lambda: BATCH)
        try:
            while not (self._stopping or held.lost.done() or beating.done()):
                await self._pace.turn()
                batch = await self._next_batch()
                await self._carry(batch, self._uncertain | _doubtful(batch, taken_at, doubtful))
                if len(batch) < BATCH:
                    await held.hinted(SWEEP_SECONDS)
        finally:
            beating.cancel()
            publishing.cancel()
            await asyncio.wait([beating, publishing])
        if not beating.cancelled():
            beating.result()

    async def _next_batch(self) -> list[Due]:
        most = BATCH if self._publisher.connected and not self._publisher.blocked else 0
        leave_out = frozenset(self._declared.unusable)
        batch = await self._database(partial(self._schedule.look, most, leave_out))
        if self._database_away:
            log.info("relay.database_back", text="the database is back")
            self._database_away = False
        if self._declared.lacks(self._schedule.queues):
            await self._declare_again()
        return batch

    async def _carry(self, batch: Sequence[Due], again: set[tuple[int, int]]) -> None:
        if not batch:
            return
        verdicts = await self._publisher.publish([_message(each, again) for each in batch])
        confirmed = [each for each, verdict in zip(batch, verdicts, strict=True) if verdict is Verdict.CONFIRMED]
        uncertain = [each for each, verdict in zip(batch, verdicts, strict=True) if verdict is Verdict.UNCERTAIN]
        self._uncertain.update((each.task, each.attempt) for each in uncertain)
        if confirmed:
            await self._database(partial(schedule.mark_handed_over, confirmed))
        self._schedule.handed_over(confirmed)
        self._uncertain.difference_update((each.task, each.attempt) for each in confirmed)
        if Verdict.UNROUTABLE in verdicts:
            await self._declare_again()

    async def _declare(self, broker: Connection) -> None:
        await self._declared.begin(broker, self._schedule.queues)

    async def _declare_again(self) -> None:
        with contextlib.suppress(BrokerLost):  # the publisher meets it too, says it, and declares when it is back
            await self._declared.declare(self._schedule.queues)

    async def _beat(self) -> None:
        """Signs of life, at once when the broker comes or goes."""
        while True:
            trouble = self._trouble()
            await self._database(partial(health.beat, "relay"))
            await self._database(partial(health.beat, "broker", trouble))
            for _ in range(int(BEAT_SECONDS / SWEEP_SECONDS)):
                await asyncio.sleep(SWEEP_SECONDS)
                if self._trouble() != trouble:
                    break

    def _trouble(self) -> str:
        if reason := self._publisher.trouble:
            return f"The relay cannot use RabbitMQ, so new tasks wait: {reason}"
        if self._publisher.blocked:
            return "RabbitMQ is out of memory or disk: new tasks wait until it has room."
        unusable = [f"The queue {queue} cannot be used: {why}" for queue, why in self._declared.unusable.items()]
        return " ".join(unusable)

    async def _database(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _close_connection() -> None:
    """Of the thread that calls it: Django's connections belong to threads."""
    connection.close()


def _doubtful(batch: Sequence[Due], taken_at: datetime, left: defaultdict[str, int]) -> set[tuple[int, int]]:
    """Those that a relay before this one may have published: of each queue the first that were due when it was gone.

    `left`: how many more of a queue may be among them; it had no more than a batch under way.
    """
    found = set()
    for each in batch:
        if each.dispatch_at < taken_at and left[each.queue]:
            left[each.queue] -= 1
            found.add((each.task, each.attempt))
    return found


def _message(due: Due, again: set[tuple[int, int]]) -> Message:
    message = TaskMessage(
        task=due.task, attempt=due.attempt, kind=due.kind, params=due.params, timeout_seconds=due.timeout_seconds
    )
    headers = {AGAIN_HEADER: 1} if due.handed_at or (due.task, due.attempt) in again else None
    return Message(exchange=TASKS_EXCHANGE, routing_key=due.queue, body=message.encode(), headers=headers)
