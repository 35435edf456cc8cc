"""The table of tasks as one browser looks at it: which part, which rows, what stands around them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self

from django.db.models import F, TextField
from django.db.models.functions import Left

from apps.queues.models import Worker
from apps.queues.querysets import SILENT_AFTER
from apps.tasks import progress
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import LIVE, Status
from apps.tasks.models import Attempt, Task
from workers.messages import BIGGEST_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.http import QueryDict

    from apps.tasks.querysets import TaskQuerySet

ROWS = 50
COUNT_CAP = 10_000
NEWS_CAP = 999
START_LENGTH = 200
SHOWN = (
    "name", "kind", "status", "reason", "attempt", "worker", "value_text", "run_at", "created_at", "started_at",
    "progress", "progress_text",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which part of the table an address asks for. What makes no sense in it is left out.

    `after` / `before`: older / newer than this number. `seen`: newer tasks than this one are not shown but announced.
    """

    status: Status | None = None
    after: int | None = None
    before: int | None = None
    seen: int | None = None

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        status = query.get("status", "")
        return cls(
            status=Status(status) if status in Status.values else None,
            after=number(query.get("after", "")),
            before=number(query.get("before", "")),
            seen=number(query.get("seen", "")),
        )

    @property
    def parameters(self) -> dict[str, str | int]:
        """The window as a query, to be read again by `of`."""
        pairs = {"status": self.status, "after": self.after, "before": self.before, "seen": self.seen}
        return {name: value for name, value in pairs.items() if value is not None}

    @property
    def is_first(self) -> bool:
        return self.after is None and self.before is None

    def tasks(self, user: User) -> TaskQuerySet:
        mine = Task.objects.visible_to(user)
        return mine.filter(status=self.status) if self.status else mine


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task as the table shows it."""

    task: Task
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
    def percent(self) -> int | None:
        """How far it has come, while it runs."""
        return progress.percent(self.task.progress)

    @property
    def template(self) -> str:
        return f"tasks/value/_{self.look}.html"


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a window and what stands around them. Asks for the counts when they are first needed."""

    window: Window
    user: User
    rows: list[Row]
    has_older: bool
    workers: Mapping[str, datetime] | None  # those alive and their last sign of life; None = not asked for
    now: datetime

    @property
    def has_newer(self) -> bool:
        return not self.window.is_first

    @property
    def is_live(self) -> bool:
        return any(row.task.status in LIVE for row in self.rows)

    @cached_property
    def counts(self) -> dict[Status, int]:
        return Task.objects.visible_to(self.user).counts(COUNT_CAP)

    @property
    def total(self) -> int:
        """Of tasks of any status; above the cap as soon as one of the counts is."""
        return sum(self.counts.values())

    @cached_property
    def news(self) -> int:
        """How many tasks there are above the ones shown that this window holds back."""
        if not self.window.seen:
            return 0
        return self.window.tasks(self.user).newer_than(self.window.seen)[: NEWS_CAP + 1].count()

    @property
    def lasts_until(self) -> datetime | None:
        """When it shows something else though no task changes: a start falls due, a worker is silent for too long."""
        moments = [row.task.run_at for row in self.rows if row.scheduled and row.task.run_at]
        if self.workers is not None:
            moments += [seen_at + SILENT_AFTER for seen_at in self.workers.values()]
            if any(row.stranded for row in self.rows):
                moments.append(self.now + timedelta(seconds=2))
        return min(moments, default=None)


def read(window: Window, user: User) -> Table:
    """The table now. A page of newer tasks that reaches the top is the first page."""
    tasks = _page(window, user)
    if window.before and len(tasks) <= ROWS:
        window = replace(window, before=None)
        tasks = _page(window, user)
    shown = tasks[-ROWS:] if window.before else tasks[:ROWS]
    now = database_now()
    alive = Worker.objects.alive().values_list("name", "last_seen_at")
    workers = dict(alive) if any(task.status in LIVE for task in shown) else None
    errors = _errors(shown)
    rows = [_row(task, errors.get(task.pk, ""), workers or {}, now) for task in shown]
    has_older = bool(window.before) or len(tasks) > ROWS
    return Table(window=window, user=user, rows=rows, has_older=has_older, workers=workers, now=now)


def newest(window: Window, user: User) -> int | None:
    """The newest number of all that the window's filter lets through, on whichever page."""
    return window.tasks(user).order_by("-id").values_list("id", flat=True).first()


def number(text: str) -> int | None:
    """A task's number as typed into an address; None when it cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if 1 <= int(text) <= BIGGEST_ID else None


def _page(window: Window, user: User) -> list[Task]:
    """Newest first, one task more than is shown: at the end, or at the start of a page of newer ones."""
    tasks = window.tasks(user).only(*SHOWN).annotate(result_start=_start_of("result"))
    if window.before:
        return list(tasks.newer_than(window.before)[: ROWS + 1])[::-1]
    limit = window.after or (window.seen + 1 if window.seen else None)
    return list((tasks.older_than(limit) if limit else tasks.order_by("-id"))[: ROWS + 1])


def _errors(tasks: list[Task]) -> dict[int, str]:
    """Type and message of the FAILED ones' last attempts; not their tracebacks: fifty may be megabytes."""
    failed = [task.pk for task in tasks if task.status == Status.FAILED]
    if not failed:
        return {}
    last = Attempt.objects.filter(task__in=failed, number=F("task__attempt"))
    rows = last.values_list("task_id", "error_type", _start_of("error_message"))
    return {number: ": ".join(filter(None, (kind, message))) for number, kind, message in rows}


def _start_of(column: str) -> Left:
    return Left(column, START_LENGTH, output_field=TextField())


def _row(task: Task, error: str, workers: Mapping[str, datetime], now: datetime) -> Row:
    return Row(
        task=task,
        number=str(task.pk),
        error=error,
        scheduled=task.status == Status.QUEUEING and task.run_at is not None and task.run_at > now,
        stranded=task.status == Status.RUNNING and task.worker not in workers,
    )
