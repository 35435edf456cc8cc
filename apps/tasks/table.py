"""The table of tasks as one browser looks at it: which part, which rows, what stands around them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db.models import F, TextField
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Left

from apps.accounts.permissions import may_see_all
from apps.api.keyset import Place
from apps.queues.models import Worker
from apps.queues.querysets import SILENT_AFTER
from apps.tasks import progress
from apps.tasks.batches import among, select_rows
from apps.tasks.columns import COLUMNS
from apps.tasks.lifecycle import LIVE, Reason, Status
from apps.tasks.matching import matching
from apps.tasks.models import Attempt, Task
from apps.tasks.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.contrib.auth.models import User

    from apps.tasks.matching import Matching

ROWS = 50
COUNT_CAP = 10_000
SEVERAL = 1_000
# So much older may counts above it be: of two polls one counts. To count takes longer than all the rest.
SEVERAL_SECONDS = 0.6
NEWS_CAP = 999
START_LENGTH = 200
CODE = "code"  # the parameter that holds code, whose beginning tells more than that of all parameters
MOVES_EVERY = timedelta(seconds=30)  # a search that means something else as time passes
SHOWN = (
    "name", "kind", "status", "reason", "attempt", "worker", "value_text", "run_at", "created_at", "started_at",
    "progress", "progress_text",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task as the table shows it."""

    task: SimpleNamespace  # the fields that are shown
    number: str
    error: str  # of a FAILED one: "ValueError: the message", its beginning
    scheduled: bool
    stranded: bool  # RUNNING, but its worker is no longer alive

    @property
    def look(self) -> str:
        """What its status looks like: the chip's class and the name of the fragment in its value's cell."""
        return "stranded" if self.stranded else self.task.status.lower()

    @property
    def word(self) -> str:
        return "Waiting" if self.stranded else Status(self.task.status).label

    @property
    def why(self) -> str:
        """It has not finished, or waits."""
        return str(Reason(self.task.reason).label) if self.task.reason else ""

    @property
    def percent(self) -> int | None:
        """How far it has come, while it runs."""
        return progress.percent(self.task.progress)

    @property
    def template(self) -> str:
        return f"tasks/value/_{self.look}.html"


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a window and what stands around them. Asks for the counts when they are first needed.

    `newer`, `older`: the places beyond which the table goes on. `end`: the number beyond which it was not looked.
    """

    window: Window
    user: User
    matching: Matching
    rows: list[Row]
    newer: Place | None
    older: Place | None
    end: int | None
    goes_on: bool  # with rows, not only with places to look for them
    workers: Mapping[str, datetime] | None  # those alive and their last sign of life; None = not asked for
    now: datetime

    @property
    def is_live(self) -> bool:
        return any(row.task.status in LIVE for row in self.rows)

    @property
    def is_laborious(self) -> bool:
        """Whether its rows have to be looked for one by one."""
        return self.matching.rest is not None

    @property
    def counts(self) -> dict[Status, int]:
        return self._counted[0]

    @cached_property
    def _counted(self) -> tuple[dict[Status, int], datetime | None]:
        """And until when they are told though they may no longer be right."""
        key = f"counts-{'all' if may_see_all(self.user) else self.user.pk}"
        known, until = cache.get(key, ({}, None))
        others = [status for status in Status if status not in known]
        counted = Task.objects.visible_to(self.user).counts(COUNT_CAP, others)
        if not known and (several := {status: count for status, count in counted.items() if count > SEVERAL}):
            cache.set(key, (several, self.now + timedelta(seconds=SEVERAL_SECONDS)), SEVERAL_SECONDS)
        return {status: known.get(status, counted.get(status, 0)) for status in Status}, until

    @property
    def total(self) -> int:
        """Of tasks of any status; above the cap as soon as one of the counts is."""
        return sum(self.counts.values())

    @cached_property
    def matched(self) -> int:
        """How many match, among those looked at; above the cap when there are more."""
        if not self.window.query.terms:
            return self.total
        if self.window.is_first and self.window.order.by_number and not self.goes_on:
            return len(self.rows)
        return self.matching.count(COUNT_CAP)

    @cached_property
    def news(self) -> int:
        """How many tasks there are above the ones shown that this window holds back."""
        if not self.window.seen:
            return 0
        return self.matching.all.filter(pk__gt=self.window.seen).order_by()[: NEWS_CAP + 1].count()

    @property
    def lasts_until(self) -> datetime | None:
        """When it shows something else though no task changes: a start falls due, a worker is silent for too long."""
        moments = [row.task.run_at for row in self.rows if row.scheduled and row.task.run_at]
        if self.workers is not None:
            moments += [seen_at + SILENT_AFTER for seen_at in self.workers.values()]
            if any(row.stranded for row in self.rows):
                moments.append(self.now + timedelta(seconds=2))
        if until := self._counted[1]:
            moments.append(until)
        if self.window.query.moves:
            moments.append(self.now + MOVES_EVERY)
        return min(moments, default=None)


def read(window: Window, user: User, now: datetime) -> Table:
    """The table at this moment. A page of newer tasks that reaches the top is the first page."""
    found = matching(window.query, user)
    page = page_of(window, found)
    if window.before and page.newer is None:
        window = replace(window, before=None)
        page = page_of(window, found)
    tasks = _tasks([place.number for place in page.places], window.columns)
    workers = Worker.objects.signs_of_life(now) if any(task.status == Status.RUNNING for task in tasks) else None
    errors = _errors(tasks)
    return Table(
        window=window,
        user=user,
        matching=found,
        rows=[_row(task, errors.get(task.pk, ""), workers or {}, now) for task in tasks],
        newer=page.newer,
        older=page.older,
        end=page.end,
        goes_on=page.goes_on,
        workers=workers,
        now=now,
    )


def newest(user: User) -> int | None:
    """The newest number of all that this person may see."""
    return Task.objects.visible_to(user).order_by("-pk").values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where the rows of a window stand, and where it goes on to either side."""

    places: Sequence[Place]
    newer: Place | None
    older: Place | None
    end: int | None
    goes_on: bool


def page_of(window: Window, found: Matching) -> Page:
    if window.before:
        places, end = found.places(window.order.turned, window.before, ROWS + 1)
        shown = places[:ROWS][::-1]
        goes_on = _goes_on(places, end, window)
        return Page(places=shown, newer=goes_on, older=shown[-1] if shown else window.before, end=end, goes_on=True)
    beyond = window.after or (Place(window.seen + 1) if window.seen else None)
    places, end = found.places(window.order, beyond, ROWS + 1)
    newer = (places[0] if places else window.after) if window.after else None
    return Page(
        places=places[:ROWS], newer=newer, older=_goes_on(places, end, window), end=end, goes_on=len(places) > ROWS
    )


def _goes_on(places: Sequence[Place], end: int | None, window: Window) -> Place | None:
    """Behind the last row of a full page; else where it was not looked any further."""
    if len(places) > ROWS:
        return places[ROWS - 1]
    return Place(end) if end is not None and window.order.by_number else None


def _tasks(numbers: Sequence[int], shown: Sequence[str]) -> list[SimpleNamespace]:
    """Plain values by plain SQL: to make fifty instances of a model takes several times as long as to read them."""
    if not numbers:
        return []
    columns = ["id", *SHOWN, *(field for name in shown for field in COLUMNS[name].fields)]
    these, values = among("t.id", numbers)
    rows = select_rows(Task, columns, f"WHERE {these}", values, made=[f"substr(t.result, 1, {START_LENGTH})"])
    names = ["pk", *columns[1:], "result_start"]
    found = {row[0]: SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows}
    if {"by", "input"} & set(shown):
        _add_seldom_shown(found)
    return [found[number] for number in numbers if number in found]


def _add_seldom_shown(tasks: Mapping[int, SimpleNamespace]) -> None:
    starts = {"code_start": _start_of(KT(f"params__{CODE}")), "params_start": _start_of(Cast("params", TextField()))}
    for task in tasks.values():
        vars(task).update(created_by__username=None, code_start=None, params_start="{}")  # deleted in between
    for row in Task.objects.filter(pk__in=tasks).order_by().values("pk", "created_by__username", **starts):
        vars(tasks[row["pk"]]).update(row)


def _errors(tasks: list[SimpleNamespace]) -> dict[int, str]:
    """Type and message of the FAILED ones' last attempts; not their tracebacks: fifty may be megabytes."""
    failed = [task.pk for task in tasks if task.status == Status.FAILED]
    if not failed:
        return {}
    last = Attempt.objects.filter(task__in=failed, number=F("task__attempt"))
    rows = last.values_list("task_id", "error_type", _start_of("error_message"))
    return {number: ": ".join(filter(None, (kind, message))) for number, kind, message in rows}


def _start_of(column: str | Combinable) -> Left:
    return Left(column, START_LENGTH, output_field=TextField())


def _row(task: SimpleNamespace, error: str, workers: Mapping[str, datetime], now: datetime) -> Row:
    return Row(
        task=task,
        number=str(task.pk),
        error=error,
        scheduled=task.status == Status.QUEUEING and task.run_at is not None and task.run_at > now,
        stranded=task.status == Status.RUNNING and task.worker not in workers,
    )
