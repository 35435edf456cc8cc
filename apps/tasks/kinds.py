"""The kinds that workers have announced: as they are stored now, or as they were a moment ago."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from apps.tasks.batches import read_row, stored_row
from apps.tasks.clock import database_now
from apps.tasks.cursors import repeating
from apps.tasks.models import Kind

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from datetime import datetime

    from apps.tasks.batches import Given

REMEMBERED_SECONDS = 1.0
COLUMNS: Final = tuple(field.attname for field in Kind._meta.concrete_fields)  # noqa: SLF001
_KNOWN: Final = "SELECT {columns}, {now} FROM tasks_kind ORDER BY name"
_NOW: Final = {"sqlite": "NULL", "postgresql": "clock_timestamp()"}


class Moved(Exception):
    """A kind is not any more as it was read."""


def known_now() -> tuple[dict[str, Kind], datetime]:
    """By name, in the order of the names, and the database's time. They are shared: nobody is to change them."""
    global _memory  # noqa: PLW0603 what one thread has read all of them may use
    with repeating() as cursor:
        cursor.execute(_KNOWN.format(columns=", ".join(COLUMNS), now=_NOW[connection.vendor]))
        rows = cursor.fetchall()
    now = rows[0][-1] if rows else None
    known = {row[0]: _read(row[:-1]) for row in rows}
    _memory = time.monotonic() + REMEMBERED_SECONDS, known
    return known, now or database_now()


def remembered() -> Mapping[str, Kind]:
    """As they were read within the last second, for who has it looked at that one is still the same; none: not read."""
    until, known = _memory
    return known if time.monotonic() < until else {}


def is_still(kind: Kind) -> Given:
    """The condition that it is as it was read: each announcement has a time of its own."""
    row = stored_row(Kind, ["name", "announced_at"], [kind.name, kind.announced_at])
    return "EXISTS (SELECT 1 FROM tasks_kind WHERE name = %s AND announced_at = %s)", row


def forget() -> None:
    global _memory  # noqa: PLW0603 as above
    _memory = 0.0, {}


_memory: tuple[float, dict[str, Kind]] = 0.0, {}


@lru_cache(maxsize=1_000)
def _read(row: tuple[Hashable, ...]) -> Kind:
    """Schemas are long, and one task is created at a time."""
    values: Any = read_row(Kind, COLUMNS, row)
    return Kind.from_db(connection.alias, COLUMNS, values)
