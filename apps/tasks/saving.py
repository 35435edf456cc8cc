"""New tasks, saved with all that tells of them: the audit log's entry, the tick and its note, the relay's hint."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from django.db import connection, transaction

from apps.audit import journal
from apps.audit.models import Result
from apps.relay import wake
from apps.tasks.batches import insert_rows, insertion
from apps.tasks.clock import MOVE, NOTE, tick
from apps.tasks.cursors import repeating
from apps.tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

    from apps.tasks.batches import Given, Row


def save(user: User, columns: Sequence[str], rows: Sequence[Row], *, details: str) -> list[int]:
    """The numbers of the new tasks, in the order of the rows. Raises IntegrityError when a key is not new any more."""
    if connection.vendor == "postgresql":
        return _in_one_statement(user, insertion(Task, columns, rows), len(rows), details)
    with transaction.atomic():
        numbers = insert_rows(Task, columns, rows)
        journal.note("task.create", f"task {numbers[0]}", user=user, count=len(numbers), details=details)
        tick(numbers)
        transaction.on_commit(wake.relay, robust=True)  # it is saved by then, whatever becomes of the hint
    return numbers


def _in_one_statement(user: User, insertion: Given, count: int, details: str) -> list[int]:
    """Which is a transaction by itself; sent one after the other, its parts would take six ways there and back."""
    entry = journal.values("task.create", user=user, count=count, details=details, result=Result.DONE)
    del entry["object"]
    insert, values = insertion
    names, places = ", ".join(["object", *entry]), ", ".join(["%s"] * len(entry))
    noted = "SELECT ticks, clock_timestamp(), string_agg(id::text, ',' ORDER BY id), '' FROM task, moved GROUP BY ticks"
    parts = [
        f"task AS ({insert})",
        f"moved AS ({MOVE.format(source='SELECT 1, 1 FROM task LIMIT 1')} RETURNING ticks)",
        f"note AS ({NOTE} {noted})",
    ]
    if not journal.is_covered():
        parts.append(f"entry AS (INSERT INTO audit_entry ({names}) SELECT 'task ' || min(id), {places} FROM task)")
        values = [*values, *entry.values()]
    # It may fail on a key, and whoever has begun a transaction wants to go on in it.
    with transaction.atomic() if connection.in_atomic_block else nullcontext(), repeating() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} SELECT id, pg_notify('{wake.CHANNEL}', '') FROM task", values)
        return sorted(number for number, _ in cursor.fetchall())
