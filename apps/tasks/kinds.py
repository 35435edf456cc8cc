"""The kinds that workers have announced, as they are stored now; each is read from its row once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from apps.tasks.batches import read_row, stored_rows
from apps.tasks.models import Kind

if TYPE_CHECKING:
    from collections.abc import Hashable

COLUMNS: Final = tuple(field.attname for field in Kind._meta.concrete_fields)  # noqa: SLF001


def known() -> dict[str, Kind]:
    """By name, in the order of the names. They are shared: nobody is to change them."""
    rows = stored_rows(Kind, COLUMNS, "ORDER BY t.name")
    return {kind.name: kind for kind in (_read(row) for row in rows)}


@lru_cache(maxsize=1_000)
def _read(row: tuple[Hashable, ...]) -> Kind:
    """Schemas are long, and one task is created at a time."""
    values: Any = read_row(Kind, COLUMNS, row)
    return Kind.from_db(connection.alias, COLUMNS, values)
