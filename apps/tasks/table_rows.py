"""What the table shows of a task, read from the database."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import F, TextField
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Left

from apps.queues.models import Worker
from apps.queues.querysets import SILENT_AFTER
from apps.tasks.batches import among, read_row, select_rows
from apps.tasks.columns import COLUMNS
from apps.tasks.cursors import keeping, repeating
from apps.tasks.lifecycle import Status
from apps.tasks.models import Attempt, Task
from workers.artifacts import figures_text

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
# The last sign of life of the worker that runs it, of one that is alive. A join would cost PostgreSQL as much again as
# all the rest.
SEEN_AT = (
    "(SELECT w.last_seen_at FROM queues_worker w"
    " WHERE t.status = 'RUNNING' AND w.name = t.worker AND w.left_at IS NULL AND w.last_seen_at > %s)"
)
# Of what its attempt has returned as pictures: how many there are, and the last of their names.
PICTURES = (
    "(SELECT count(*) || ' ' || max(a.name) FROM tasks_artifact a"
    " WHERE t.status = 'FINISHED' AND t.value_text = '' AND a.task_id = t.id AND a.attempt = t.attempt"
    " AND a.worker = t.worker AND a.shown AND substr(a.content_type, 1, 6) = 'image/')"
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
            tasks = _read(columns, *_asked(part, order), now)
        else:
            numbers = list(part.values_list("pk", flat=True))
            where, values = among("t.id", numbers)
            found_now = _read(columns, f"WHERE {where}", values, now) if numbers else []
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
    made = [f"substr(t.result, 1, {START_LENGTH})", PICTURES, SEEN_AT]
    # Without values there is one way to find them.
    rows = select_rows(Task, columns, these, [since, *values], made=made, asked=repeating if values else keeping)
    names = ["number", *columns[1:], "result_start", "pictures", "seen_at"]
    tasks = [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows]
    for task in tasks:
        task.pictures = _instead(task.result_start, task.pictures)
        if task.seen_at:
            [task.seen_at] = read_row(Worker, ["last_seen_at"], [task.seen_at])
    return tasks


def _instead(result_start: str | None, pictures: str | None) -> int:
    """How many pictures are the result, of which there is no more to read than a text that stands for them."""
    count, _, name = (pictures or "0").partition(" ")
    is_text = result_start is not None and result_start.startswith('"')
    stands_for_them = name.startswith("result.") or result_start == json.dumps(figures_text(int(count)))
    return int(count) if result_start is None or (is_text and stands_for_them) else 0


def _asked(part: QuerySet[Any], order: Order) -> tuple[str, Sequence[Any]]:
    """What follows FROM for these tasks in this order, over the alias `t`, and the values to bind."""
    query = part.query
    where = query.where.relabeled_clone({query.base_table: "t"})
    condition, values = "true", list[Any]()
    try:
        condition, values = query.get_compiler(connection=connection).compile(where)
    except EmptyResultSet:
        condition = "false"
    except FullResultSet:
        pass
    most = f" LIMIT {query.high_mark}" if query.high_mark else ""
    return f"WHERE {condition} ORDER BY t.id{' DESC' if order.descending else ''}{most}", values


def _add_seldom_shown(tasks: Mapping[int, SimpleNamespace]) -> None:
    starts = {"code_start": _start_of(KT(f"params__{CODE}")), "params_start": _start_of(Cast("params", TextField()))}
    for task in tasks.values():
        vars(task).update(created_by__username=None, code_start=None, params_start="{}")  # deleted in between
    for row in Task.objects.filter(pk__in=tasks).order_by().values("created_by__username", **starts, number=F("pk")):
        vars(tasks[row["number"]]).update(row)


def _start_of(column: str | Combinable) -> Left:
    return Left(column, START_LENGTH, output_field=TextField())
