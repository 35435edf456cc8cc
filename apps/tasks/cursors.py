"""Cursors for what is asked for each task anew: PostgreSQL parses it once a connection, not once a task."""

from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper


def repeating() -> CursorWrapper:
    """For statements of few different texts: a connection remembers a hundred, each from its fifth time on.

    Django's own cursor writes the values into the text, which makes another statement of it each time.
    """
    if connection.vendor == "sqlite":
        return connection.cursor()
    # SQLite does without psycopg.
    from django.db.backends.postgresql.base import ServerBindingCursor  # noqa: PLC0415
    from psycopg.types.datetime import TimestamptzLoader  # noqa: PLC0415

    connection.close_if_health_check_failed()
    connection.ensure_connection()
    own: Any = ServerBindingCursor
    cursor = own(connection.connection)
    cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # in C; Django's is Python, 5 us for each
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return make(cursor)
