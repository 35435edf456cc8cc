"""Writes that PostgreSQL is sent as one statement: the way there and back costs more than what it does for one task."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.tasks.cursors import keeping, repeating

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Write = tuple[str, str, Sequence[Any]]  # its name, the SQL, the values to bind

_waiting: ContextVar[list[Write] | None] = ContextVar("waiting", default=None)


@contextmanager
def together() -> Iterator[None]:
    """What is written within is one statement at the end of it.

    No two of the writes may be about the same row: each finds the rows as they were before all of them.
    """
    # SQLite has no such statement, nor a way to it.
    if connection.vendor == "sqlite" or _waiting.get() is not None:
        yield
        return
    waiting: list[Write] = []
    before = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(before)
    if waiting:
        parts = ", ".join(f"{name or f'write_{nth}'} AS ({sql})" for nth, (name, sql, _) in enumerate(waiting))
        with keeping() as cursor:
            cursor.execute(f"WITH {parts} SELECT 1", [value for _, _, values in waiting for value in values])


def write(sql: str, values: Sequence[Any], name: str = "") -> None:
    """At once, or together with others, who know the rows that it returns by `name`."""
    waiting = _waiting.get()
    if waiting is not None:
        waiting.append((name, sql, values))
        return
    with repeating() as cursor:
        cursor.execute(sql, values)
