"""New tasks, saved with all that tells of them: the audit log's entry, the tick and its note, the relay's hint."""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from apps.audit import journal
from apps.audit.models import Result
from apps.relay import wake
from apps.tasks import kinds
from apps.tasks.batches import ALWAYS, insert_rows, insertion
from apps.tasks.clock import MOVE, NOTE, tick, tick_by
from apps.tasks.cursors import keeping, repeating
from apps.tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

    from apps.tasks.batches import Given, Row
    from apps.tasks.models import Kind

COLUMNS = tuple(field.attname for field in Task._meta.concrete_fields if field.attname != "id")  # noqa: SLF001
ACT = "task.create"
TIMES = ("created_at", "dispatch_at")  # of one that is due at once
_values = attrgetter(*COLUMNS)


def save(user: User, tasks: Sequence[Task], kind: Kind | None = None) -> None:
    """Gives them their numbers, and on PostgreSQL its time to one without.

    `kind`: that of a single one, if it may be another by now. Raises kinds.Moved when it is, IntegrityError when a key
    is not new any more; then nothing is saved.
    """
    rows, only_if = [_values(task) for task in tasks], kinds.is_still(kind) if kind else ALWAYS
    if connection.vendor == "postgresql":
        _in_one_statement(user, tasks, rows, only_if)
        return
    with transaction.atomic():
        numbers = _with_one_cursor(user, tasks[0], rows, only_if) if len(tasks) == 1 else _of_many(user, tasks, rows)
        if not numbers:
            raise kinds.Moved
        transaction.on_commit(wake.relay, robust=True)  # it is saved by then, whatever becomes of the hint
    for task, number in zip(tasks, numbers, strict=True):
        task.pk = number


def _with_one_cursor(user: User, task: Task, rows: Sequence[Row], only_if: Given) -> list[int]:
    """To have a cursor for each statement takes half as long as the four statements."""
    with repeating() as cursor:
        cursor.execute(*insertion(Task, COLUMNS, rows, only_if))
        numbers = [number for (number,) in cursor.fetchall()]
        for number in numbers:
            if not journal.is_covered():
                entry = journal.values(ACT, f"task {number}", user=user, details=task.kind, result=Result.DONE)
                cursor.execute(journal.INSERT, list(entry.values()))
            tick_by(cursor, str(number))
    return numbers


def _of_many(user: User, tasks: Sequence[Task], rows: Sequence[Row]) -> list[int]:
    numbers = insert_rows(Task, COLUMNS, rows)
    journal.note(ACT, f"task {numbers[0]}", user=user, count=len(numbers), details=tasks[0].kind)
    tick(numbers)
    return numbers


def _in_one_statement(user: User, tasks: Sequence[Task], rows: Sequence[Row], only_if: Given) -> None:
    """Which is a transaction by itself; sent one after the other, its parts would take six ways there and back."""
    without_time = tasks[0].created_at is None
    insert, values = insertion(Task, COLUMNS, rows, only_if, made=TIMES if without_time else ())
    entry: dict[str, Any] = {}
    if not journal.is_covered():
        entry = journal.values(ACT, user=user, count=len(tasks), details=tasks[0].kind, result=Result.DONE)
        del entry["object"]
    near = wake.is_near()
    answer = ["id", *TIMES[:without_time], *([] if near else [f"pg_notify('{wake.CHANNEL}', '')"])]
    # It may fail on a key, and whoever has begun a transaction wants to go on in it.
    within = transaction.atomic() if connection.in_atomic_block else nullcontext()
    with within, keeping() if len(tasks) == 1 else repeating() as cursor:
        statement = _statement(insert, tuple(entry), ", ".join(answer), alone=len(tasks) == 1)
        cursor.execute(statement, [*values, *entry.values()])
        saved = sorted(cursor.fetchall())
    if not saved:
        raise kinds.Moved
    for task, row in zip(tasks, saved, strict=True):
        task.pk = row[0]
        if without_time:
            task.created_at = task.dispatch_at = row[1]
    if near:
        transaction.on_commit(wake.relay, robust=True)


@lru_cache(maxsize=100)  # of a batch it is another text for each set of columns that its tasks share
def _statement(insert: str, entry: tuple[str, ...], answer: str, *, alone: bool) -> str:
    # For one row PostgreSQL would take longer to prepare to sort and to gather it than to store it.
    numbers = "id::text" if alone else "string_agg(id::text, ',' ORDER BY id)"
    noted = f"SELECT ticks, clock_timestamp(), {numbers}, '' FROM task, moved{'' if alone else ' GROUP BY ticks'}"
    parts = [
        f"task AS ({insert})",
        f"moved AS ({MOVE.format(source=f'SELECT 1, 1 FROM task{_first(alone)}')} RETURNING ticks)",
        f"note AS ({NOTE} {noted})",
    ]
    if entry:
        names, places = ", ".join(["object", *entry]), ", ".join(["%s"] * len(entry))
        first = f"SELECT 'task ' || id, {places} FROM task{_first(alone)}"
        parts.append(f"entry AS (INSERT INTO audit_entry ({names}) {first})")
    return f"WITH {', '.join(parts)} SELECT {answer} FROM task"


def _first(alone: bool) -> str:
    return "" if alone else " ORDER BY id LIMIT 1"
