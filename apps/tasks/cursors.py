"""Cursors for what is asked for each task anew: PostgreSQL parses it once a connection, not once a task.

Django's own writes the values into the text, which makes another statement of it each time.
"""

from functools import cache, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper

_KEEPS = "keeps_plans"  # said of a connection


def repeating() -> CursorWrapper:
    """For statements of few different texts: a connection remembers a hundred, each from its fifth time on."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        opened = _opened(connection)
        return _wrapped(connection, opened.cursor(factory=_KeepingText))
    return _binding(connection, anew=hasattr(_opened(connection), _KEEPS))


def keeping() -> CursorWrapper:
    """For what can be done in one way only, whatever the tables hold: its plan, half of its cost, is kept as well.

    From then on the connection keeps plans, so what else is repeated is parsed anew: the plan of a look into a table
    would be of the table as it was when it was small. Within a transaction it does not begin to: that may be undone.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    opened = _opened(connection)
    cursor = _binding(connection, anew=False)
    if not (connection.in_atomic_block or hasattr(opened, _KEEPS)):
        cursor.execute("SET plan_cache_mode = auto")
        setattr(opened, _KEEPS, True)
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
