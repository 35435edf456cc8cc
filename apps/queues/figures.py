"""How much waits and runs in each queue, since when, and how fast it comes and goes: counts that stop at a cap.

Each is read from an index, in a few statements however many queues there are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.tasks.clock import database_now
from apps.tasks.models import Task
from apps.tasks.priority import LEVELS, OF_LEVEL

if TYPE_CHECKING:
    from collections.abc import Collection

COUNT_CAP = 10_000
MINUTE = timedelta(minutes=1)
NEWEST = (200, 2_000, COUNT_CAP + 1)  # so many of the newest are looked at, until one is older than a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one queue. A count above COUNT_CAP means "more than COUNT_CAP"."""

    due: int = 0  # not handed to the broker yet
    in_broker: int = 0
    later: int = 0  # scheduled, or waiting for the next try
    running: int = 0
    oldest: datetime | None = None  # when the one that waits longest could have begun
    created: int = 0  # in the last minute
    ended: int = 0

    @property
    def waiting(self) -> int:
        """What could begin at once."""
        return self.due + self.in_broker

    @property
    def is_exact(self) -> bool:
        counts = (self.due, self.in_broker, self.later, self.running, self.created, self.ended)
        return max(counts) <= COUNT_CAP


def of(queues: Collection[str], now: datetime | None = None) -> dict[str, Figures]:
    """By queue. `now`: by the database's clock."""
    now = now or database_now()
    if not queues:
        return {}
    running = _running()
    # Numbers grow with time, so the newest tasks are those of the last minute.
    created = _since(now - MINUTE, "created_at", "tasks_task t ORDER BY t.id DESC")
    over = "tasks_task t WHERE t.finished_at IS NOT NULL ORDER BY t.finished_at DESC, t.id DESC"
    ended = _since(now - MINUTE, "finished_at", over)
    return {name: _figures(row, running[name], created[name], ended[name]) for name, *row in _rows(sorted(queues), now)}


def waiting(queues: Collection[str], now: datetime) -> dict[str, int]:
    """How much of each could begin at once, up to COUNT_CAP + 1."""
    rows = _rows(sorted(queues), now) if queues else []
    return {name: min(due + in_broker, COUNT_CAP + 1) for name, due, in_broker, *_ in rows}


def handed_over(queues: Collection[str], before: datetime) -> dict[str, tuple[int, int, int]]:
    """Of each queue what the broker has: tasks that wait there, those of them since `before`, tasks that run."""
    if not queues:
        return {}
    running, at = _running(), connection.ops.adapt_datetimefield_value(before)
    names = ", ".join(["(%s)"] * len(queues))
    columns = f"{_count(_IN_BROKER)}, {_count(f'{_IN_BROKER} AND t.handed_at < %s')}"
    with connection.cursor() as cursor:
        cursor.execute(f"WITH line (name) AS (VALUES {names}) SELECT line.name, {columns} FROM line", [*queues, at])
        return {name: (waiting, overdue, running[name]) for name, waiting, overdue in cursor.fetchall()}


def _figures(row: list[Any], running: int, created: int, ended: int) -> Figures:
    due, in_broker, later, due_at, created_at, run_at = row
    ready = max(filter(None, (_moment(created_at), _moment(run_at))), default=None)
    oldest = min(filter(None, (_moment(due_at), ready)), default=None)
    return Figures(
        due=due, in_broker=in_broker, later=later, running=running, oldest=oldest, created=created, ended=ended
    )


def _rows(queues: list[str], now: datetime) -> list[tuple[Any, ...]]:
    at = connection.ops.adapt_datetimefield_value(now)
    names = ", ".join(["(%s)"] * len(queues))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE line (name) AS (VALUES {names}), {_READ}", [*queues, at, at, at])
        return list(cursor.fetchall())


def _count(condition: str) -> str:
    return f"(SELECT count(*) FROM (SELECT 1 FROM tasks_task t WHERE {condition} LIMIT {COUNT_CAP + 1}) counted)"


def _first(column: str, condition: str, order: str) -> str:
    return f"(SELECT {column} FROM tasks_task t WHERE {condition} ORDER BY {order} LIMIT 1)"


# The conditions are those of the indexes `task_due`, which goes by priority, and `task_in_broker`.
_DUE = f"{OF_LEVEL} AND t.dispatch_at <= %s"
# In the order of the index: PostgreSQL may choose to count in the whole table, for few of so many.
_BY_INDEX = " ORDER BY t.dispatch_at"
_HERE = (
    f"CAST(sum({_count(_DUE + _BY_INDEX)}) AS bigint)",
    f"CAST(sum({_count(f'{OF_LEVEL} AND t.dispatch_at > %s{_BY_INDEX}')}) AS bigint)",
    f"min({_first('t.dispatch_at', _DUE, 't.dispatch_at')})",
)
_IN_BROKER = "t.queue = line.name AND t.status = 'QUEUEING' AND t.dispatch_at IS NULL"
_COLUMNS = (
    "here.due",
    _count(_IN_BROKER),
    "here.later",
    "here.due_at",
    _first("t.created_at", _IN_BROKER, "t.handed_at"),
    _first("t.run_at", _IN_BROKER, "t.handed_at"),
)
_READ = (
    f"{LEVELS}, here (name, due, later, due_at) AS"
    f" (SELECT level.name, {', '.join(_HERE)} FROM level GROUP BY level.name)"
    f" SELECT line.name, {', '.join(_COLUMNS)} FROM line JOIN here ON here.name = line.name"
)


def _running() -> Counter[str]:
    running = Task.objects.filter(status="RUNNING").order_by("id").values_list("queue", flat=True)
    return Counter(running[: COUNT_CAP + 1])


def _since(moment: datetime, column: str, newest: str) -> Counter[str]:
    """How many of each queue are younger by this column. `newest`: what follows FROM, the youngest first."""
    found: Counter[str] = Counter()
    with connection.cursor() as cursor:
        for most in NEWEST:
            cursor.execute(
                f"SELECT n.queue, count(*) FROM (SELECT t.queue, t.{column} AS at FROM {newest} LIMIT {most:d}) n"
                " WHERE n.at > %s GROUP BY n.queue",
                [connection.ops.adapt_datetimefield_value(moment)],
            )
            found = Counter(dict(cursor.fetchall()))
            if found.total() < most:
                break
    return found


def _moment(value: Any) -> datetime | None:
    """SQLite has no type for it, nor zones."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
