"""Two clocks: the database's time, which alone decides anything, and the tick that tells a changed table."""

from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """The database server's time. SQLite's is this machine's, so asking it would only cost."""
    if connection.vendor == "sqlite":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def ticks() -> int:
    """Where the tick stands: equal to an earlier answer = no table of tasks has changed since."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ticks FROM tasks_clock WHERE id = 1")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def tick() -> None:
    """Say that a table would show something else. The last write of its transaction: the row stays locked till then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tasks_clock (id, ticks) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET ticks = tasks_clock.ticks + 1"
        )
