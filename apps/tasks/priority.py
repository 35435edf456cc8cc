"""Priority: which of the due tasks of a queue is handed over first, and how that is found among very many."""

from typing import Final

from apps.tasks.clock import now_in_sql
from apps.tasks.cursors import repeating

LOWEST: Final = -100
HIGHEST: Final = 100
OUT_OF_BOUNDS: Final = f"Must be a whole number from {LOWEST} to {HIGHEST}: the higher goes first."


def is_priority(number: int) -> bool:
    return LOWEST <= number <= HIGHEST


def due(queue: str) -> list[int]:
    """The priorities at which something of the queue is due, the highest first."""
    now, values = now_in_sql()
    with repeating() as cursor:
        cursor.execute(_DUE.format(now=now), [queue, *values])
        return [priority for (priority,) in cursor.fetchall()]


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
_DUE: Final = (
    f"WITH RECURSIVE line (name) AS (VALUES (%s)), {LEVELS} SELECT level.priority FROM level"
    # Not by EXISTS: PostgreSQL may choose to answer that from all that is due.
    f" WHERE (SELECT t.dispatch_at FROM tasks_task t WHERE {OF_LEVEL} AND t.dispatch_at IS NOT NULL"
    " ORDER BY t.dispatch_at LIMIT 1) <= {now} ORDER BY level.priority DESC"
)
