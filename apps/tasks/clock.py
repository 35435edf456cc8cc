"""Two clocks: the database's time, which alone decides anything, and the tick that tells a changed table."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from apps.tasks.cursors import keeping, repeating
from apps.tasks.writes import together, write


def database_now() -> datetime:
    """The database server's time. SQLite's is this machine's, so asking it would only cost."""
    if connection.vendor == "sqlite":
        return datetime.now(UTC)
    with keeping() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def now_if_known() -> datetime | None:
    """The same where it need not be asked for; None: what is written now is to say it."""
    return database_now() if connection.vendor == "sqlite" else None


def now_in_query() -> Any:
    """The same as part of a condition, which saves asking for it first."""
    return Now() if connection.vendor == "postgresql" else database_now()


def now_in_sql() -> tuple[str, list[Any]]:
    """The same in SQL that is written by hand: the text, and the values to bind."""
    if connection.vendor == "postgresql":
        return "statement_timestamp()", []
    return "%s", [connection.ops.adapt_datetimefield_value(database_now())]


def ticks() -> int:
    """Where the tick stands: equal to an earlier answer = no table of tasks has changed since."""
    return ticks_and_now()[0]


def ticks_and_now() -> tuple[int, datetime]:
    """The tick and the database's time, asked for at once."""
    with keeping() as cursor:
        cursor.execute(_READ[connection.vendor])
        tick, now = cursor.fetchone()
    return int(tick), now or database_now()


_READ = {
    "sqlite": "SELECT coalesce(max(ticks), 0), NULL FROM tasks_clock",
    "postgresql": "SELECT coalesce(max(ticks), 0), clock_timestamp() FROM tasks_clock",
}


def tick(changed: Iterable[int] = (), gone: Mapping[int, int | None] | None = None) -> None:
    """Say that a table would show something else. The last write of its transaction: the row stays locked till then.

    `changed`: the tasks of which it would, `gone`: the owners of those deleted, for `apps.tasks.changes`. Because of
    the lock ticks are in the order of commits: whoever has read one has missed none before it.
    """
    tasks = ",".join(map(str, changed))
    deleted = ",".join(f"{task}:{owner or ''}" for task, owner in (gone or {}).items())
    if not (tasks or deleted):
        write(_MOVE_ONE, [])
    elif connection.vendor == "postgresql":
        with together():
            write(_MOVE_ONE_AND_SAY, [], "moved")
            write(f"{NOTE} SELECT ticks, clock_timestamp(), %s, %s FROM moved", [tasks, deleted])
    else:
        with repeating() as cursor:
            tick_by(cursor, tasks, deleted)


def tick_by(cursor: Any, tasks: str, deleted: str = "") -> None:
    """The same by a cursor of SQLite's, with both as they are noted."""
    cursor.execute(_MOVE_ONE_AND_SAY)
    (at,) = cursor.fetchone()
    cursor.execute(_NOTE_AT, [at, tasks, deleted])


MOVE = "INSERT INTO tasks_clock (id, ticks) {source} ON CONFLICT (id) DO UPDATE SET ticks = tasks_clock.ticks + 1"
NOTE = "INSERT INTO tasks_change (tick, at, changed, gone)"
_MOVE_ONE = MOVE.format(source="VALUES (1, 1)")
_MOVE_ONE_AND_SAY = f"{_MOVE_ONE} RETURNING ticks"
_NOTE_AT = f"{NOTE} VALUES (%s, strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now'), %s, %s)"
