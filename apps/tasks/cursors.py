"""Cursors for what is asked for each task anew, in statements of few different texts.

Django's own writes the values into the text: PostgreSQL would have to parse and to plan it each time.
"""

from functools import cache, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper

FEW = 100  # so many rows are scanned as quickly as one is found
_KNOWN = "known_tasks"  # said of a connection: how many there were when its plans were made


def repeating() -> CursorWrapper:
    """For what is planned each time by what the tables hold, and by what is asked for."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        return _wrapped(connection, _opened(connection).cursor(factory=_KeepingText))
    return _binding(connection, anew=True)


def keeping() -> CursorWrapper:
    """For what is to be done in one way only, by an index: a connection keeps the plan, which is half of its cost."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    return repeating() if connection.vendor == "sqlite" else _binding(connection, anew=False)


def forget_old_plans(highest: int) -> None:
    """Of the time when there were half as many tasks: `highest` is the number of one that is there.

    A plan of when the table was small may be a scan of all that has come since, also that by which PostgreSQL looks
    foreign keys up.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        return
    opened = _opened(connection)
    if highest > 2 * getattr(opened, _KNOWN, 0) + FEW:
        with connection.wrap_database_errors:
            opened.execute("DISCARD PLANS")
        setattr(opened, _KNOWN, highest)


def _opened(connection: Any) -> Any:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection.connection


def _binding(connection: Any, *, anew: bool) -> CursorWrapper:
    opened = _opened(connection)
    from psycopg.types.datetime import TimestamptzLoader  # noqa: PLC0415 SQLite does without it

    cursor = _cursor(anew=anew)(opened)
    cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # in C; Django's is Python, 5 us for each
    return _wrapped(connection, cursor)


def _wrapped(connection: Any, cursor: Any) -> CursorWrapper:
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return make(cursor)  # type: ignore[no-any-return]


class _KeepingText(SQLiteCursorWrapper):
    """SQLite has other marks for values; Django looks for them in the whole text each time."""

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        return super().convert_query(query, param_names=param_names) if param_names else _converted(query)


@lru_cache(maxsize=200)
def _converted(query: str) -> str:
    return FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


@cache
def _cursor(*, anew: bool) -> Any:
    from django.db.backends.postgresql.base import ServerBindingCursor  # noqa: PLC0415 as above

    class Anew(ServerBindingCursor):
        def execute(self, query: Any, params: Any = None) -> Any:
            return super().execute(query, params, prepare=False)  # type: ignore[misc]  # the stubs know no psycopg

    return Anew if anew else ServerBindingCursor
