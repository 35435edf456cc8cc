"""How long the web lets the database work for one request: what takes longer is given up, so that others get on.

The relay and the commands have their time. A search looks through a bounded part of the tasks; this is for what was not
thought of.
"""

import threading
import time
from typing import Any

from django.core.signals import request_started
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

SECONDS = 60  # PostgreSQL: for each statement, which is all that it can be told
STEPS = 100_000  # of SQLite's machine, some milliseconds

_request = threading.local()


def end() -> None:
    """From here on, in this process."""
    connection_created.connect(_limit, dispatch_uid="patience")
    request_started.connect(_begin, dispatch_uid="patience")


def _begin(**_: Any) -> None:
    _request.ends = time.monotonic() + SECONDS


def _limit(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{SECONDS}s'")
    else:
        connection.connection.set_progress_handler(_is_over, STEPS)


def _is_over() -> bool:
    """SQLite gives the statement up when this is true, with an OperationalError as PostgreSQL does."""
    return time.monotonic() > getattr(_request, "ends", float("inf"))
