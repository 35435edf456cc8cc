"""What the table shows of a task, read from the database."""

from __future__ import annotations

from datetime import UTC
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, TextField
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Left

from apps.queues.querysets import SILENT_AFTER
from apps.tasks.batches import among, select_rows
from apps.tasks.columns import COLUMNS
from apps.tasks.lifecycle import Status
from apps.tasks.models import Attempt, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from apps.api.keyset import Order
    from apps.tasks.matching import Find, Matching

START_LENGTH = 200
CODE = "code"  # the parameter that holds code, whose beginning tells more than that of all parameters
SHOWN = (
    "name", "kind", "status", "reason", "attempt", "worker", "value_text", "run_at", "created_at", "started_at",
    "progress", "progress_text",
)  # fmt: skip
# The last sign of life of the worker that runs it, of one that is alive.
ITS_WORKER = (
    "LEFT JOIN queues_worker w"
    " ON t.status = 'RUNNING' AND w.name = t.worker AND w.left_at IS NULL AND w.last_seen_at > %s"
)


def finder(order: Order, shown: Sequence[str], found: Matching, now: datetime) -> Find:
    """What reads the next of some tasks in this order: with plain values by plain SQL.

    To make fifty instances of a model takes several times as long as to read them.
    """
    fields = {*SHOWN, *(field for name in shown for field in COLUMNS[name].fields)}
    columns = ["id", *sorted(fields if order.by_number else fields | {order.column})]

    def read(part: QuerySet[Any]) -> list[SimpleNamespace]:
        # Conditions that no index answers are Django's to put, by ways that SQL of ours does not know.
        if order.by_number and not found.rest:
            tasks = _read(columns, *_within(part), now)
            tasks.sort(key=attrgetter("number"), reverse=order.descending)
        else:
            numbers = list(part.values_list("pk", flat=True))
            found_now = _read(columns, *among("t.id", numbers), now) if numbers else []
            these = {task.number: task for task in found_now}
            tasks = [these[number] for number in numbers if number in these]
        if {"by", "input"} & set(shown):
            _add_seldom_shown({task.number: task for task in tasks})
        return tasks

    return lambda rows, beyond, most: order.rows(rows, beyond, most, read)


def errors_of(tasks: Iterable[SimpleNamespace]) -> dict[int, str]:
    """Type and message of the FAILED ones' last attempts; not their tracebacks: fifty may be megabytes."""
    failed = [task.number for task in tasks if task.status == Status.FAILED]
    if not failed:
        return {}
    last = Attempt.objects.filter(task__in=failed, number=F("task__attempt"))
    rows = last.values_list("task_id", "error_type", _start_of("error_message"))
    return {number: ": ".join(filter(None, (kind, message))) for number, kind, message in rows}


def _read(columns: Sequence[str], these: str, values: Sequence[Any], now: datetime) -> list[SimpleNamespace]:
    since = connection.ops.adapt_datetimefield_value(now - SILENT_AFTER)
    made = [f"substr(t.result, 1, {START_LENGTH})", "w.last_seen_at"]
    rows = select_rows(Task, columns, f"{ITS_WORKER} WHERE {these}", [since, *values], made=made)
    names = ["number", *columns[1:], "result_start", "seen_at"]
    tasks = [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows]
    for task in tasks:
        task.seen_at = task.seen_at and task.seen_at.replace(tzinfo=UTC)
    return tasks


def _within(part: QuerySet[Any]) -> tuple[str, Sequence[Any]]:
    """The condition that a task is one of these, and the values to bind."""
    try:
        sql, values = part.values("pk").query.sql_with_params()
    except EmptyResultSet:
        return "false", []
    return f"t.id IN ({sql})", values


def _add_seldom_shown(tasks: Mapping[int, SimpleNamespace]) -> None:
    starts = {"code_start": _start_of(KT(f"params__{CODE}")), "params_start": _start_of(Cast("params", TextField()))}
    for task in tasks.values():
        vars(task).update(created_by__username=None, code_start=None, params_start="{}")  # deleted in between
    for row in Task.objects.filter(pk__in=tasks).order_by().values("created_by__username", **starts, number=F("pk")):
        vars(tasks[row["number"]]).update(row)


def _start_of(column: str | Combinable) -> Left:
    return Left(column, START_LENGTH, output_field=TextField())
