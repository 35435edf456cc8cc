"""The table of tasks as one browser looks at it: which part, which rows, what stands around them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING

from django.core.cache import cache

from apps.accounts.permissions import may_see_all
from apps.api.keyset import Place
from apps.queues.querysets import SILENT_AFTER
from apps.tasks import progress
from apps.tasks.lifecycle import LIVE, Reason, Status
from apps.tasks.matching import matching
from apps.tasks.models import Task
from apps.tasks.orders import NEWEST_FIRST
from apps.tasks.querysets import counted
from apps.tasks.table_rows import errors_of, finder
from apps.tasks.window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

    from apps.api.keyset import Order
    from apps.tasks.matching import Matching

ROWS = 50
COUNT_CAP = 10_000
SEVERAL = 1_000
# So much older may counts above it be: of two polls one counts. To count takes longer than all the rest.
SEVERAL_SECONDS = 0.6
NEWS_CAP = 999
MOVES_EVERY = timedelta(seconds=30)  # a search that means something else as time passes


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
        owner = None if may_see_all(self.user) else self.user.pk
        key = f"counts-{owner or 'all'}"
        known, until = cache.get(key, ({}, None))
        others = [status for status in Status if status not in known]
        found = counted(owner, others, COUNT_CAP)
        if not known and (several := {status: count for status, count in found.items() if count > SEVERAL}):
            cache.set(key, (several, self.now + timedelta(seconds=SEVERAL_SECONDS)), SEVERAL_SECONDS)
        return {status: known.get(status, found.get(status, 0)) for status in Status}, until

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
    def is_matched_in_part(self) -> bool:
        """Whether `matched` is of the newest only."""
        if self.window.is_first and self.window.order == NEWEST_FIRST and not self.window.seen:
            return self.is_laborious and self.end is not None
        return self.matching.counted_to() is not None

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
        moments += [row.task.seen_at + SILENT_AFTER for row in self.rows if row.task.seen_at]
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
    page = page_of(window, found, now)
    if window.before and page.newer is None:
        window = replace(window, before=None)
        page = page_of(window, found, now)
    errors = errors_of(page.tasks)
    return Table(
        window=window,
        user=user,
        matching=found,
        rows=[_row(task, errors.get(task.number, ""), now) for task in page.tasks],
        newer=page.newer,
        older=page.older,
        end=page.end,
        goes_on=page.goes_on,
        now=now,
    )


def newest(user: User) -> int | None:
    """The newest number of all that this person may see."""
    return Task.objects.visible_to(user).order_by("-pk").values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The tasks in a window, with the fields that are shown, and where it goes on to either side."""

    tasks: Sequence[SimpleNamespace]
    newer: Place | None
    older: Place | None
    end: int | None
    goes_on: bool


def page_of(window: Window, found: Matching, now: datetime) -> Page:
    order = window.order.turned if window.before else window.order
    beyond = window.before or window.after or (Place(window.seen + 1) if window.seen else None)
    tasks, end = found.found(order, beyond, ROWS + 1, finder(order, window.columns, found, now))
    shown = tasks[:ROWS]
    first = _place(order, shown[0]) if shown else window.before or window.after
    last = _place(order, shown[-1]) if len(tasks) > ROWS else _further(order, end)
    if window.before:
        return Page(tasks=shown[::-1], newer=last, older=first, end=end, goes_on=True)
    newer = first if window.after else None
    return Page(tasks=shown, newer=newer, older=last, end=end, goes_on=len(tasks) > ROWS)


def _place(order: Order, task: SimpleNamespace) -> Place:
    return Place(task.number, None if order.by_number else getattr(task, order.column))


def _further(order: Order, end: int | None) -> Place | None:
    """Where the list may go on although it was not looked there."""
    return Place(end) if end is not None and order.by_number else None


def _row(task: SimpleNamespace, error: str, now: datetime) -> Row:
    return Row(
        task=task,
        number=str(task.number),
        error=error,
        scheduled=task.status == Status.QUEUEING and task.run_at is not None and task.run_at > now,
        stranded=task.status == Status.RUNNING and task.seen_at is None,
    )
