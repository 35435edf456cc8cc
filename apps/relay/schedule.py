"""What is due, in which order, and how much of it the broker should hold."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, transaction

from apps.queues.limits import Limits
from apps.queues.models import Queue
from apps.relay.gates import Gate
from apps.tasks import priority
from apps.tasks.batches import select_rows
from apps.tasks.clock import database_now, now_in_sql, tick
from apps.tasks.cursors import keeping, repeating
from apps.tasks.lifecycle import LIVE, Status
from apps.tasks.models import Task
from apps.tasks.querysets import listed
from apps.tasks.turns import IN_TURN
from workers.broker import DEFAULT_QUEUE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime


QUEUES_SECONDS = 0.25
FEW = 100  # are asked for first: mostly they are all, and the plan for so many is kept
BEHIND = timedelta(seconds=5)


class Due(NamedTuple):
    """An attempt that is to be handed to the broker. `params` are JSON, as they are stored."""

    task: int
    attempt: int
    kind: str
    queue: str
    reason: str
    dispatch_at: datetime
    timeout_seconds: float | None = None
    handed_at: datetime | None = None  # when the broker had it before
    params: str = "{}"


@dataclass(slots=True)
class Window:
    """How many attempts of one queue the broker holds: what its workers take in about two seconds, within bounds.

    The rest waits in the database, where it can be cancelled, deleted and put in another order at once.
    """

    seconds: float = 2.0
    fewest: int = 200
    most: int = 10_000
    taken_per_second: float = 0.0
    handed: int = field(default=0, init=False)  # since the last look
    held: int = field(default=0, init=False)
    looked_at: float = field(default_factory=time.monotonic, init=False)

    @property
    def certain_room(self) -> int:
        """For so many there is room at least, without asking how many the broker still holds."""
        return max(0, self.fewest - self.held - self.handed)

    def room(self, held: int) -> int:
        """How many more may be handed over, now that the broker holds `held` unstarted ones."""
        now = time.monotonic()
        elapsed = now - self.looked_at
        if elapsed >= 0.02:
            rate = max(0, self.held + self.handed - held) / elapsed
            weight = min(1.0, elapsed)  # about a second's memory
            self.taken_per_second = max(rate, self.taken_per_second * (1 - weight))
            self.handed, self.held, self.looked_at = 0, held, now
        size = min(self.most, max(self.fewest, int(self.taken_per_second * self.seconds)))
        return max(0, size - held)


class Schedule:
    """`queues`: those that some worker has served, and the one that is always there. What changes shows in a moment."""

    def __init__(self) -> None:
        self.queues = {DEFAULT_QUEUE}
        self._paused: set[str] = set()
        self._limits: dict[str, Limits] = {}
        self._gates: dict[str, Gate] = {}
        self.holds_back = False  # whether a limit was met in the last look: there may be room before anybody says so
        self._queues_read_at = self._looked_from = -math.inf
        self._looked_at: list[str] = []
        self._windows: defaultdict[str, Window] = defaultdict(Window)
        self._waiting_since: float | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something that was due, and had room, has waited for the relay itself for longer than BEHIND."""
        return self._waiting_since is not None and time.monotonic() - self._waiting_since > BEHIND.total_seconds()

    def look(self, most: int, leave_out: Collection[str] = ()) -> list[Due]:
        """What is to be handed over now: what is due, as far as each queue's window has room.

        Of the queues in `leave_out` nothing is handed over, nor of paused ones.
        """
        self._looked_from = time.monotonic()
        if self._looked_from - self._queues_read_at > QUEUES_SECONDS:
            self._read_queues()
        batch: list[Due] = []
        self.holds_back = False
        self._looked_at = sorted(self.queues.difference(leave_out, self._paused)) if most else []
        for queue in self._looked_at:
            batch += self._of_queue(queue, most - len(batch))
        self._note_waiting(batch, most)
        return batch

    def rest_seconds(self) -> float:
        """How long nothing is to be handed over after a look that found nothing, unless the database changes.

        0: it cannot be told. Something is due, and waits for room; or the queues were not read in that look.
        """
        if self._queues_read_at < self._looked_from:
            return 0.0
        seconds = priority.seconds_until_due(self._looked_at)
        return seconds + 0.001 if seconds > 0 else 0.0  # SQLite counts milliseconds

    def _read_queues(self) -> None:
        known = {name: more for name, *more in select_rows(Queue, QUEUE_COLUMNS, "")}
        self.queues = {DEFAULT_QUEUE, *known}
        self._paused = {queue for queue, (paused_at, *_) in known.items() if paused_at}
        limits = {queue: Limits(at_once=most, per_minute=rate) for queue, (_, most, rate) in known.items()}
        self._limit({queue: each for queue, each in limits.items() if each})
        self._queues_read_at = time.monotonic()

    def _note_waiting(self, batch: Sequence[Due], most: int) -> None:
        """As long as each batch is full of what is overdue, more waits that has room; else a batch is all there is."""
        if not batch:
            self._waiting_since = None
            return
        overdue = len(batch) == most and min(each.dispatch_at for each in batch) < database_now() - BEHIND
        if not overdue or self._waiting_since is None:
            self._waiting_since = time.monotonic()

    def handed_over(self, confirmed: Iterable[Due]) -> None:
        """The broker has them now."""
        for each in confirmed:
            self._windows[each.queue].handed += 1

    def _limit(self, now: dict[str, Limits]) -> None:
        """A gate stays as it is as long as its rate does: what has passed counts on."""
        rates = {queue: each.per_minute for queue, each in now.items() if each.per_minute is not None}
        gates = self._gates
        self._gates = {
            queue: gates[queue] if queue in gates and gates[queue].per_minute == rate else Gate(rate)
            for queue, rate in rates.items()
        }
        self._limits = now

    def _of_queue(self, queue: str, most: int) -> list[Due]:
        if queue in self._limits:
            return self._of_limited(queue, most, self._limits[queue])
        window = self._windows[queue]
        if min(most, window.certain_room) >= FEW and len(found := due(queue, FEW)) < FEW:
            return found  # all there are, for the price of one query
        return due(queue, min(most, window.room(held_by_broker(queue, window.most))))

    def _of_limited(self, queue: str, most: int, limited: Limits) -> list[Due]:
        """What the broker has may begin at any moment, so it counts as if it ran."""
        window, gate = self._windows[queue], self._gates.get(queue)
        held = held_by_broker(queue, window.most)
        room = min(most, window.room(held))
        if limited.at_once is not None:
            # What the reconciler has taken back is to be handed over again, and runs nowhere.
            running = Task.objects.filter(queue=queue, status=Status.RUNNING, dispatch_at=None).count()
            room = min(room, limited.at_once - held - running)
        if gate:
            room = min(room, gate.room(), math.ceil(2 * gate.most) - held)
        found = due(queue, room) if room > 0 else []
        if gate:
            gate.passed(len(found))
        self.holds_back = self.holds_back or (len(found) >= room and bool(found or priority.due(queue)))
        return found


def held_by_broker(queue: str, most: int) -> int:
    """Attempts that the broker has confirmed and no worker has begun, counted up to `most`."""
    with repeating() as cursor:
        cursor.execute(_HELD, [queue, most])
        held: int = cursor.fetchone()[0]
    return held


def due(queue: str, most: int) -> list[Due]:
    """The attempts whose time has come: those of the highest priority first, of these the longest due."""
    # One priority after the other: in one walk from the highest down, all that is due later would be passed over.
    found, highest, levels = _of_highest(queue, most)
    if len(found) < most and levels != 1:
        for level in priority.due(queue):
            if level < highest and len(found) < most:
                found += _of_level(queue, level, most - len(found))
    return found


def _of_highest(queue: str, most: int) -> tuple[list[Due], float, int]:
    """Those of the highest priority at which something is due, this, and at how many something is."""
    ready, values = priority.ready_in_sql(queue)
    more, values_of_more = _waiting("(SELECT max(ready.priority) FROM ready)", queue, [], most)
    rows = select_rows(
        Task,
        COLUMNS,
        more,
        [*values, *values_of_more],
        made=["t.params", "t.priority", "(SELECT count(*) FROM ready)"],
        before=ready,
        asked=keeping if most == FEW else repeating,
    )
    found = [Due._make(row[:-2]) for row in rows]
    return (found, *rows[0][-2:]) if rows else (found, math.inf, 0)


def _of_level(queue: str, level: int, most: int) -> list[Due]:
    more, values = _waiting("%s", queue, [level], most)
    return list(map(Due._make, select_rows(Task, COLUMNS, more, values, made=["t.params"])))


def _waiting(level: str, queue: str, values_of_level: Sequence[Any], most: int) -> tuple[str, list[Any]]:
    # The plan that is kept is to know how few are asked for.
    limit, last = (str(FEW), []) if most == FEW else ("%s", [most])
    now, values = now_in_sql()
    here = f"t.queue = %s AND t.priority = {level} AND t.status IN ({listed(LIVE)}) AND t.dispatch_at <= {now}"
    order = ", ".join(f"t.{column}" for column in IN_TURN)
    return f"WHERE {here} ORDER BY {order} LIMIT {limit}", [queue, *values_of_level, *values, *last]


COLUMNS = ("id", *Due._fields[1:-1])
QUEUE_COLUMNS = ("name", "paused_at", "concurrency_limit", "rate_per_minute")
_HELD = (
    "SELECT count(*) FROM (SELECT 1 FROM tasks_task t WHERE t.queue = %s AND t.dispatch_at IS NULL"
    " AND t.status = 'QUEUEING' LIMIT %s) AS held"
)


def mark_handed_over(confirmed: Sequence[Due]) -> None:
    """Note that the broker has them. One that has meanwhile begun or gone on to another attempt stays as it is."""
    if not confirmed:
        return
    begun = [each.task for each in confirmed if each.reason]
    # PostgreSQL does with one statement for them all, and SQLite with one for one; which is one by itself.
    several = len(confirmed) > 1 and connection.vendor == "sqlite"
    with transaction.atomic() if begun or several else nullcontext():
        due_until = max(each.dispatch_at for each in confirmed)
        Task.objects.hand_over([(each.task, each.attempt) for each in confirmed], due_until)
        if begun:
            tick(begun)  # "scheduled for later" is over
