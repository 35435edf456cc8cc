"""Everything known about one task, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from apps.accounts.permissions import ALLOWED, may
from apps.queues.models import Worker
from apps.queues.report import obstacle
from apps.tasks import live
from apps.tasks.clock import database_now, ticks
from apps.tasks.lifecycle import LIVE, Status
from apps.tasks.models import Task
from apps.tasks.sentences import Moment, Parts, last_attempt, status_parts

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apps.tasks.models import Attempt


MOST_ATTEMPTS = 20  # with their tracebacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    task: Task
    attempts: list[Attempt]  # the last ones, oldest first
    left_out: bool  # earlier ones
    sentence: Parts
    stranded: bool
    may: dict[str, bool]  # what this person can do with it now
    now: datetime

    @property
    def is_live(self) -> bool:
        return self.task.status in LIVE

    @property
    def rhythm(self) -> str:
        return live.rhythm(moving=self.is_live)

    @property
    def last(self) -> Attempt | None:
        return last_attempt(self.task)

    @property
    def shown_error(self) -> Attempt | None:
        """The attempt whose error is the task's outcome."""
        return self.last if self.task.status == Status.FAILED else None

    @property
    def attempts_before(self) -> int:
        return self.task.attempt - 1

    @property
    def ready_at(self) -> datetime:
        """When its current attempt could begin."""
        return max(self.task.created_at, self.task.run_at or self.task.created_at)

    @property
    def was_ready(self) -> bool:
        """Whether that time has come, or had when it ended."""
        return self.ready_at <= (self.task.finished_at or self.now)

    @property
    def is_waiting(self) -> bool:
        return self.is_live and self.was_ready and not self.task.started_at

    @property
    def waited(self) -> float | None:
        """Seconds from when it could have begun to when it did, or to its end without that."""
        until = self.task.started_at or self.task.finished_at
        if not until or not self.was_ready:
            return None
        return max((until - self.ready_at).total_seconds(), 0.0)

    @property
    def ran(self) -> float | None:
        """Seconds as the worker measured them, or until it was cancelled."""
        if self.last and self.last.run_seconds is not None:
            return self.last.run_seconds
        if not (self.task.started_at and self.task.finished_at):
            return None
        return (self.task.finished_at - self.task.started_at).total_seconds()


def read(user: User, number: int) -> Sheet:
    """Raises Task.DoesNotExist for a task of nobody's and for one that is not this person's to see."""
    now = database_now()
    task = Task.objects.visible_to(user).select_related("created_by").get(pk=number)
    attempts = list(task.attempts.order_by("-number")[: MOST_ATTEMPTS + 1])
    vars(task)["last_attempts"] = attempts
    workers = list(Worker.objects.alive()) if task.status in LIVE else []
    silent = task.status == Status.RUNNING and all(worker.name != task.worker for worker in workers)
    why_not = obstacle() if task.status == Status.QUEUEING else ""
    sentence = status_parts(task, now=now, live_workers=workers, obstacle=why_not)
    acts = {act: may(user, act, task) for act in ALLOWED}
    return Sheet(
        task=task,
        attempts=attempts[:MOST_ATTEMPTS][::-1],
        left_out=len(attempts) > MOST_ATTEMPTS,
        sentence=sentence,
        stranded=silent,
        may=acts,
        now=now,
    )


def look(user: User, number: int) -> tuple[Sheet, live.Tag]:
    """The sheet now, with its tag. Raises Task.DoesNotExist."""
    tick = ticks()
    sheet = read(user, number)
    # Its sentence speaks of busy workers and of the time that passes, neither of which moves the tick.
    lasts_until = live.until(sheet.now + timedelta(seconds=1)) if sheet.is_live else live.NEVER
    tag = live.Tag(ticks=tick, until=lasts_until, view=view_of(user, number), parts=(sheet.rhythm, _shown(sheet)))
    return sheet, tag


def view_of(user: User, number: int) -> str:
    return live.digest(user.pk, user.is_staff, number)


def _shown(sheet: Sheet) -> str:
    task = sheet.task
    attempts = [(each.number, each.worker, each.status, each.finished_at) for each in sheet.attempts]
    # Not how long something has been going on: the browser counts that by itself.
    sentence = [part.at if isinstance(part, Moment) else part for part in sheet.sentence]
    return live.digest(
        sentence,
        task.crashes,
        task.run_at,
        task.status,
        task.attempt,
        task.reason,
        task.worker,
        task.started_at,
        attempts,
    )
