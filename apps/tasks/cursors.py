"""Cursors for what is asked for each task anew: PostgreSQL parses it once a connection, not once a task.

Django's own writes the values into the text, which makes another statement of it each time.
"""

from functools import cache, lru_cache, partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper

FEW = 1_000  # so many rows are scanned as quickly as one is found
_KEEPS = "keeps_plans"  # said of a connection: that it does, and of how many tasks they are


def repeating() -> CursorWrapper:
    """For statements of few different texts: a connection remembers a hundred, each from its fifth time on."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        opened = _opened(connection)
        return _wrapped(connection, opened.cursor(factory=_KeepingText))
    return _binding(connection, anew=hasattr(_opened(connection), _KEEPS))


def keeping(number: int = 0) -> CursorWrapper:
    """For what is to be done in one way only, by an index: its plan, half of its cost, is kept as well.

    `number`: of a task that it is about. The table is as long as they are high, and a plan of when it was small may be
    a scan of all that has come since: it is made anew whenever they have doubled.
    From then on the connection keeps plans, so what else is repeated is parsed and planned anew.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    opened = _opened(connection)
    if connection.vendor == "sqlite":
        return repeating()
    cursor = _binding(connection, anew=False)
    if not hasattr(opened, _KEEPS):
        cursor.execute("SET plan_cache_mode = auto")
        transaction.on_commit(partial(setattr, opened, _KEEPS, number))  # with a transaction that fails it is undone
    elif number > 2 * getattr(opened, _KEEPS) + FEW:
        cursor.execute("DISCARD PLANS")
        setattr(opened, _KEEPS, number)
    return cursor


def _opened(connection: Any) -> Any:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection.connection


def _binding(connection: Any, *, anew: bool) -> CursorWrapper:
    from psycopg.types.datetime import TimestamptzLoader  # noqa: PLC0415 SQLite does without it

    cursor = _cursor(anew=anew)(connection.connection)
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
