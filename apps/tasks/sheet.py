"""Everything known about one task, as its page shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from apps.accounts.permissions import ALLOWED, may, may_operate
from apps.queues import limits, pauses
from apps.queues.environments import summaries
from apps.queues.models import Worker
from apps.queues.report import obstacle
from apps.tasks import (
    artifact_sheet,
    artifacts,
    clones,
    codes,
    environments,
    failures,
    live,
    output_sheet,
    progress,
    tracebacks,
    turns,
)
from apps.tasks.clock import database_now, ticks
from apps.tasks.lifecycle import LIVE, Status
from apps.tasks.models import Kind, Task
from apps.tasks.sentences import Moment, Parts, last_attempt, status_parts
from workers.artifacts import figures_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

    from apps.accounts.permissions import Person
    from apps.queues.environments import Summary
    from apps.queues.pauses import Pause
    from apps.tasks.artifact_sheet import Listed, Shown
    from apps.tasks.environments import Change
    from apps.tasks.models import Artifact, Attempt
    from apps.tasks.tracebacks import Fault

CAUSE_CAP = failures.COUNT_CAP
MOST_ATTEMPTS = 20  # with their tracebacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    task: Task
    attempts: list[Attempt]  # the last ones, oldest first
    left_out: bool  # earlier ones
    sentence: Parts
    stranded: bool
    output_of: Attempt | None  # whose output is shown, and what it has made
    made: Sequence[Artifact]
    environment_changes: list[Change]
    codes: dict[str, str]  # the parameters that are code
    ran_in: Summary | None  # what the last attempt's worker had, of kinds that run what a person wrote
    remedy: str  # where this person can have it begin again, an address
    may: dict[str, bool]  # what this person can do with it now
    user: Person
    now: datetime

    @property
    def original(self) -> Task | None:
        """The task whose input it was made from, as far as this person sees it."""
        return clones.original(self.user, self.task.cloned_from)

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
    def code(self) -> str:
        """What a person wrote to be run, of kinds that take such."""
        return next(iter(self.codes.values()), "")

    @property
    def other_params(self) -> Any:
        """The parameters that are no code."""
        params = self.task.params
        return {name: params[name] for name in params if name not in self.codes} if self.codes else params

    @property
    def shown(self) -> list[Shown]:
        """What it returned, as in a notebook."""
        return artifact_sheet.shown(self.made)

    @property
    def listed(self) -> list[Listed]:
        return artifact_sheet.listed(self.made)

    @property
    def is_told_by_shown(self) -> bool:
        """Whether the stored result is but a text for what is shown."""
        result, names = self.task.result, [each.artifact.name for each in self.shown]
        if not names or self.task.value_text or self.output_of != self.last:
            return False
        if result is None or result == json.dumps(figures_text(len(names))):
            return True
        return result.startswith('"') and any(name.startswith("result.") for name in names)

    @property
    def fault(self) -> Fault | None:
        return tracebacks.fault(self.code, self.last.traceback) if self.last and self.code else None

    @property
    def of_cause(self) -> int:
        """How many failed tasks that this person may see have the cause of this one, counted to CAUSE_CAP + 1."""
        if not self.task.cause:
            return 0
        return failures.of_cause(self.user, self.task.cause).order_by()[: CAUSE_CAP + 1].count()

    @property
    def shows_progress(self) -> bool:
        return progress.is_shown(self.task) and not self.stranded

    @property
    def percent(self) -> int | None:
        return progress.percent(self.task.progress)

    @property
    def left_text(self) -> str:
        return progress.left_text(self.task, self.now)

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


def read(user: User, number: int, attempt: int | None = None) -> Sheet:
    """`attempt`: whose output is asked for; else the last one's that has begun.

    Raises Task.DoesNotExist for a task of nobody's and for one that is not this person's to see.
    """
    return read_as(Task.objects.visible_to(user).select_related("created_by").get(pk=number), user, attempt)


def read_as(task: Task, user: Person, attempt: int | None = None) -> Sheet:
    """A task that this person may see, as it is shown to them."""
    now = database_now()
    attempts = list(task.attempts.order_by("-number")[: MOST_ATTEMPTS + 1])
    vars(task)["last_attempts"] = attempts
    workers = list(Worker.objects.alive().select_related("ordered_by")) if task.status in LIVE else []
    silent = task.status == Status.RUNNING and all(worker.name != task.worker for worker in workers)
    why_not = obstacle() if task.status == Status.QUEUEING else ""
    pause = pauses.current().get(task.queue) if task.status in LIVE else None
    limited = limits.current().get(task.queue) if task.status == Status.QUEUEING else None
    output_of = next((each for each in attempts if each.number == attempt), attempts[0] if attempts else None)
    made = artifacts.of(output_of) if output_of else []
    is_shown = attempts[:1] == [output_of] and any(each.shown for each in made)
    vars(task)["left_nothing"] = task.result is None and not is_shown
    told: dict[str, Any] = {"obstacle": why_not, "pause": pause, "limits": limited}
    sentence = status_parts(task, now=now, live_workers=workers, find_turn=turns.of, **told)
    kind = Kind.objects.filter(name=task.kind).first()
    acts = {act: may(user, act, task, kind) for act in ALLOWED}
    shown = attempts[:MOST_ATTEMPTS][::-1]
    return Sheet(
        task=task,
        attempts=shown,
        output_of=output_of,
        made=made,
        environment_changes=environments.changes(shown),
        codes=codes.of(task.params, codes.names_of(kind)),
        ran_in=_environment(last_attempt(task)) if kind and kind.runs_code else None,
        left_out=len(attempts) > MOST_ATTEMPTS,
        sentence=sentence,
        stranded=silent,
        remedy=_remedy(task, user, workers, pause),
        may=acts,
        user=user,
        now=now,
    )


def _remedy(task: Task, user: Person, workers: Sequence[Worker], pause: Pause | None) -> str:
    rests = [worker.is_resting for worker in workers if task.queue in worker.queues]
    if task.status != Status.QUEUEING or not (pause or (rests and all(rests))) or not may_operate(user):
        return ""
    return reverse("queues:list" if pause else "workers:list")


def _environment(attempt: Attempt | None) -> Summary | None:
    return summaries([attempt.environment]).get(attempt.environment) if attempt and attempt.environment else None


def look(user: User, number: int, attempt: int | None = None) -> tuple[Sheet, live.Tag]:
    """The sheet now, with its tag, whose parts are those of `changes`. Raises Task.DoesNotExist."""
    tick = ticks()
    sheet = read(user, number, attempt)
    # Its sentence speaks of busy workers and of the time that passes, neither of which moves the tick.
    lasts_until = live.until(sheet.now + timedelta(seconds=1)) if sheet.is_live else live.NEVER
    parts = (
        sheet.rhythm,
        _shown(sheet),
        _sentence(sheet),
        _progress(sheet),
        output_sheet.identity(sheet.output_of),
    )
    return sheet, live.Tag(ticks=tick, until=lasts_until, view=view_of(user, number, attempt), parts=parts)


@dataclass(frozen=True, slots=True)
class Changes:
    """What of the page must be sent. The output's own poll tells what is printed; here it is another one's."""

    rhythm: bool
    sheet: bool
    sentence: bool
    progress: bool
    output: bool


def changes(tag: live.Tag, before: live.Tag | None) -> Changes:
    if before is None or len(before.parts) != len(tag.parts):
        return Changes(rhythm=True, sheet=True, sentence=True, progress=True, output=True)
    return Changes(*(now != then for now, then in zip(tag.parts, before.parts, strict=True)))


def view_of(user: User, number: int, attempt: int | None = None) -> str:
    return live.digest(user.pk, user.is_staff, number, attempt)


def _shown(sheet: Sheet) -> str:
    task = sheet.task
    attempts = [(each.number, each.worker, each.status, each.finished_at) for each in sheet.attempts]
    return live.digest(
        sheet.stranded,
        sheet.was_ready,
        task.crashes,
        task.run_at,
        task.status,
        task.priority,
        task.attempt,
        task.reason,
        task.worker,
        task.started_at,
        attempts,
        [each.pk for each in sheet.made],
    )


def _sentence(sheet: Sheet) -> str:
    """Not how long something has been going on: the browser counts that by itself."""
    return live.digest([part.at if isinstance(part, Moment) else part for part in sheet.sentence], sheet.remedy)


def _progress(sheet: Sheet) -> str:
    if not sheet.shows_progress:
        return ""
    return live.digest(sheet.percent, sheet.task.progress_text, sheet.left_text)
