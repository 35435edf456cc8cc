"""The kinds that workers have announced, as they are stored now; each is read from its row once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from apps.tasks.batches import read_row
from apps.tasks.clock import database_now
from apps.tasks.cursors import repeating
from apps.tasks.models import Kind

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

COLUMNS: Final = tuple(field.attname for field in Kind._meta.concrete_fields)  # noqa: SLF001
_KNOWN: Final = "SELECT {columns}, {now} FROM tasks_kind ORDER BY name"
_NOW: Final = {"sqlite": "NULL", "postgresql": "clock_timestamp()"}


def known_now() -> tuple[dict[str, Kind], datetime]:
    """By name, in the order of the names, and the database's time. They are shared: nobody is to change them."""
    with repeating() as cursor:
        cursor.execute(_KNOWN.format(columns=", ".join(COLUMNS), now=_NOW[connection.vendor]))
        rows = cursor.fetchall()
    now = rows[0][-1] if rows else None
    return {row[0]: _read(row[:-1]) for row in rows}, now or database_now()


@lru_cache(maxsize=1_000)
def _read(row: tuple[Hashable, ...]) -> Kind:
    """Schemas are long, and one task is created at a time."""
    values: Any = read_row(Kind, COLUMNS, row)
    return Kind.from_db(connection.alias, COLUMNS, values)
