"""Priority: which of the due tasks of a queue is handed over first, and how that is found among very many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from apps.tasks.clock import now_in_sql
from apps.tasks.cursors import keeping, repeating

if TYPE_CHECKING:
    from collections.abc import Collection

LOWEST: Final = -100
HIGHEST: Final = 100
OUT_OF_BOUNDS: Final = f"Must be a whole number from {LOWEST} to {HIGHEST}: the higher goes first."


def is_priority(number: int) -> bool:
    return LOWEST <= number <= HIGHEST


def due(queue: str) -> list[int]:
    """The priorities at which something of the queue is due, the highest first."""
    ready, values = ready_in_sql(queue)
    with keeping() as cursor:
        cursor.execute(f"{ready} SELECT priority FROM ready ORDER BY priority DESC", values)
        return [priority for (priority,) in cursor.fetchall()]


def ready_in_sql(queue: str) -> tuple[str, list[Any]]:
    """The same as a relation `ready (priority)`: a WITH clause, and the values to bind."""
    now, values = now_in_sql()
    return _READY.format(now=now), [queue, *values]


def seconds_until_due(queues: Collection[str]) -> float:
    """From now, by the database's clock, until the first task of these queues is; negative when one is already."""
    if not queues:
        return math.inf
    now, values = now_in_sql()
    lines = ", ".join(["(%s)"] * len(queues))
    with repeating() as cursor:
        cursor.execute(_UNTIL_DUE[connection.vendor].format(lines=lines, now=now), [*queues, *values])
        (seconds,) = cursor.fetchone()
    return math.inf if seconds is None else float(seconds)


def _next(of: str, more: str = "") -> str:
    """The highest priority of what waits here, by one look into the index `task_due`, whose condition this is."""
    where = f"t.queue = {of}.name AND t.dispatch_at IS NOT NULL{more}"
    return f"(SELECT t.priority FROM tasks_task t WHERE {where} ORDER BY t.priority DESC LIMIT 1)"


# For each queue of a relation `line (name)` the priorities at which something waits, and a last row with NULL. From
# one to the next by leaps: a million tasks that are due tomorrow are one priority, and no row of them is passed over.
LEVELS: Final = (
    f"level (name, priority) AS (SELECT line.name, {_next('line')} FROM line UNION ALL"
    f" SELECT level.name, {_next('level', ' AND t.priority < level.priority')} FROM level"
    " WHERE level.priority IS NOT NULL)"
)
OF_LEVEL: Final = "t.queue = level.name AND t.priority = level.priority"
# Not by EXISTS or min: PostgreSQL may choose to answer those from all that is due.
_FIRST: Final = (
    f"(SELECT t.dispatch_at FROM tasks_task t WHERE {OF_LEVEL} AND t.dispatch_at IS NOT NULL"
    " ORDER BY t.dispatch_at LIMIT 1)"
)
_READY: Final = (
    f"WITH RECURSIVE line (name) AS (VALUES (%s)), {LEVELS},"
    f" ready (priority) AS (SELECT level.priority FROM level WHERE {_FIRST} <= {{now}})"
)
_UNTIL: Final = f"WITH RECURSIVE line (name) AS (VALUES {{lines}}), {LEVELS} SELECT {{seconds}} FROM level"
_UNTIL_DUE: Final = {
    "sqlite": _UNTIL.replace("{seconds}", f"(julianday(min({_FIRST})) - julianday({{now}})) * 86400"),
    "postgresql": _UNTIL.replace("{seconds}", f"EXTRACT(EPOCH FROM min({_FIRST}) - {{now}})"),
}
