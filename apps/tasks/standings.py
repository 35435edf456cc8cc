"""The rows of a batch as they stand while it is applied to them: what each event does, then one write per step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from django.db.models import F

from apps.queues import environments
from apps.queues.models import Worker
from apps.tasks import causes, output
from apps.tasks.batches import update_rows, upsert_rows
from apps.tasks.lifecycle import (
    FAIL,
    FINAL,
    FINISH,
    GIVE_BACK,
    START,
    TRY_AGAIN,
    Reason,
    Status,
    Step,
)
from apps.tasks.models import Attempt, Task
from apps.tasks.progress import percent
from apps.tasks.retrying import pause
from workers.messages import (
    NO_SANDBOX,
    ErrorInfo,
    Event,
    Outcome,
    Output,
    Progress,
    Returned,
    Started,
    Undeliverable,
    Vanished,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A worker of an older version may have taken it in the middle of a deploy.
UNKNOWN_KIND_AGAIN = timedelta(seconds=5)
# Where another worker knows it: soon at first, which costs little, and rarely what has waited long, as for a busy one.
UNKNOWN_KIND_SOON, UNKNOWN_KIND_LATE = timedelta(seconds=0.5), timedelta(minutes=1)
UNKNOWN_KIND_FOR = timedelta(minutes=10)


class Verdict(StrEnum):
    """What became of one event."""

    APPLIED = "APPLIED"
    DUPLICATE = "DUPLICATE"
    STALE = "STALE"
    CANCELLED = "CANCELLED"
    UNKNOWN_TASK = "UNKNOWN_TASK"
    INVALID = "INVALID"


@dataclass(slots=True)
class Standing:
    """One task's row, with what becomes of it. The fields are named as the columns that are written from them."""

    task: int
    attempt: int
    status: Status
    worker: str
    started_at: datetime | None
    run_at: datetime | None
    errors: int
    max_attempts: int
    retry_seconds: float
    crashes: int
    max_crashes: int
    progress: float | None
    progress_text: str
    progress_at: datetime | None = None  # to be written when set
    step: Step | None = None  # to be written
    reason: str = ""
    dispatch_at: datetime | None = None
    handed_at: datetime | None = None
    outcome: Outcome | None = None
    value: float | None = None
    value_text: str = ""
    result: str | None = None
    finished_at: datetime | None = None
    cause: str | None = None

    @property
    def run_seconds(self) -> float | None:
        return self.outcome.run_seconds if self.outcome else None


READ: Final = (
    "id", "attempt", "status", "worker", "started_at", "run_at",
    "errors", "max_attempts", "retry_seconds", "crashes", "max_crashes", "progress", "progress_text",
)  # fmt: skip
PROGRESS: Final = ("progress", "progress_text", "progress_at")
WRITTEN: Final[dict[Step, tuple[str, ...]]] = {
    START: ("reason", "worker", "started_at", "dispatch_at", *PROGRESS),
    GIVE_BACK: ("reason", "worker", "started_at", "dispatch_at", "crashes"),
    TRY_AGAIN: (
        "reason", "worker", "started_at", "dispatch_at", "run_at", "handed_at", "errors", "crashes",
    ),
    FINISH: (
        "reason", "worker", "value", "value_text", "result", "started_at", "finished_at", "run_seconds", "dispatch_at",
    ),
    FAIL: (
        "reason", "worker", "started_at", "finished_at", "run_seconds", "dispatch_at", "errors", "crashes", "cause",
    ),
}  # fmt: skip


@dataclass(slots=True)
class Page:
    """The rows of a batch, locked, with what the batch does to them. Within a transaction."""

    now: datetime
    standings: dict[int, Standing]
    first_met: dict[int, datetime] = field(default_factory=dict)  # when a worker first did not know a task's kind
    served: frozenset[int] = frozenset()  # of these tasks those whose kind another one knows
    printed: list[output.Piece] = field(default_factory=list)
    changed: dict[int, None] = field(default_factory=dict)  # so that a table of tasks would show it

    @classmethod
    def of(cls, events: Iterable[Event]) -> Page:
        """Of the tasks that these events are about."""
        events = list(events)
        # Locked in id order, as the relay locks them: two writers of many rows would deadlock on PostgreSQL otherwise.
        rows, now = Task.objects.locked({event.task for event in events}, READ)
        standings = [Standing(task, attempt, _STATUS[status], *rest) for task, attempt, status, *rest in rows]
        unknown = {each.task for each in events if isinstance(each, Outcome) and each.reason == Reason.UNKNOWN_KIND}
        by_task = {standing.task: standing for standing in standings}
        return cls(now, by_task, _first_met(unknown), _served(unknown)) if unknown else cls(now, by_task)

    def apply(self, worker: str, event: Event) -> Verdict:
        standing = self.standings.get(event.task)
        if standing is None:
            return Verdict.UNKNOWN_TASK
        if isinstance(event, Output):
            return self._print(standing, worker, event)
        return self._refusal(standing, event) or self._follow(standing, worker, event)

    def write_output(self) -> None:
        output.write(self.printed)

    def write(self) -> None:
        """All but the output, each row once."""
        by_step: dict[Step, list[Standing]] = {}
        for standing in self.standings.values():
            if standing.step:
                by_step.setdefault(standing.step, []).append(standing)
        for step, standings in by_step.items():
            self._write_attempts(standings)
            if step.after == Status.QUEUEING:
                for standing in standings:
                    standing.worker, standing.started_at = "", None
            row = attrgetter(*WRITTEN[step], "task", "attempt")
            Task.objects.take(step, WRITTEN[step], [row(standing) for standing in standings])
        self._write_progress()

    def _refusal(self, standing: Standing, event: Event) -> Verdict | None:
        if event.attempt != standing.attempt or standing.step is TRY_AGAIN:
            return Verdict.STALE
        if standing.status in FINAL:
            return Verdict.CANCELLED if standing.status == Status.CANCELLED else Verdict.DUPLICATE
        return None

    def _follow(self, standing: Standing, worker: str, event: Event) -> Verdict:
        match event:
            case Outcome():
                self._end(standing, worker, event)
            case Progress():
                return self._get_on(standing, worker, event)
            case Started():
                return self._start(standing, worker)
            case Returned():
                return self._give_back(standing, worker)
            case Vanished():
                return self._vanish(standing, event.holder)
            case Undeliverable():
                self._charge_crash(standing, "RabbitMQ gave up its message after too many deliveries")
                if standing.step is GIVE_BACK:
                    standing.dispatch_at = self.now
        return Verdict.APPLIED

    def _print(self, standing: Standing, worker: str, event: Output) -> Verdict:
        """Whatever has become of the attempt: what it printed may arrive after its outcome."""
        if event.attempt > standing.attempt:
            return Verdict.STALE
        if not output.is_sound(event):
            return Verdict.INVALID
        self.printed.append(output.Piece(worker, event))
        return Verdict.APPLIED

    def _get_on(self, standing: Standing, worker: str, event: Progress) -> Verdict:
        if standing.status != Status.RUNNING or standing.worker != worker:
            return Verdict.STALE
        now = (event.fraction, event.text)
        if now == (standing.progress, standing.progress_text):
            return Verdict.DUPLICATE
        if (percent(event.fraction), event.text) != (percent(standing.progress), standing.progress_text):
            self.changed[standing.task] = None
        (standing.progress, standing.progress_text), standing.progress_at = now, self.now
        return Verdict.APPLIED

    def _write_progress(self) -> None:
        moved = [each for each in self.standings.values() if each.progress_at and each.step is None]
        row = attrgetter(*PROGRESS, "task", "attempt")
        update_rows(Task, ("id", "attempt"), PROGRESS, [row(standing) for standing in moved])

    def _start(self, standing: Standing, worker: str) -> Verdict:
        if standing.status == Status.RUNNING and standing.worker == worker:
            return Verdict.DUPLICATE
        self._take(standing, START)
        standing.progress, standing.progress_text, standing.progress_at = None, "", None
        standing.worker, standing.started_at, standing.outcome = worker, self.now, None
        return Verdict.APPLIED

    def _give_back(self, standing: Standing, worker: str) -> Verdict:
        if standing.status != Status.RUNNING or standing.worker != worker:
            return Verdict.DUPLICATE
        self._take(standing, GIVE_BACK)
        return Verdict.APPLIED

    def _vanish(self, standing: Standing, holder: str) -> Verdict:
        if standing.status != Status.RUNNING or standing.worker != holder:
            return Verdict.STALE
        self._charge_crash(standing, f"the worker {holder} vanished while it ran")
        return Verdict.APPLIED

    def _end(self, standing: Standing, worker: str, outcome: Outcome) -> None:
        standing.worker, standing.outcome = worker, outcome
        standing.started_at = standing.started_at or self.now - timedelta(seconds=outcome.run_seconds)
        if outcome.status == Status.FINISHED:
            self._take(standing, FINISH)
            standing.finished_at, standing.result = self.now, outcome.result
            standing.value, standing.value_text = _value(outcome.value)
            return
        match _reason(outcome):
            case Reason.CRASHED:
                standing.crashes += 1
                self._fail_or_try_again(standing, standing.crashes, standing.max_crashes)
            case Reason.ERROR | Reason.TIMEOUT:
                standing.errors += 1
                self._fail_or_try_again(standing, standing.errors, standing.max_attempts)
            case Reason.UNKNOWN_KIND if pause_before := self._pause_before_another(standing, outcome):
                self._take(standing, GIVE_BACK)
                standing.reason, standing.dispatch_at = Reason.UNKNOWN_KIND, self.now + pause_before
            case _:
                self._fail(standing)

    def _pause_before_another(self, standing: Standing, outcome: Outcome) -> timedelta | None:
        """None: no other worker is there to run it, nor is one to be expected."""
        met_for = self.now - self.first_met.get(standing.task, self.now)
        if standing.task in self.served:
            return min(max(met_for / 4, UNKNOWN_KIND_SOON), UNKNOWN_KIND_LATE)
        if met_for >= UNKNOWN_KIND_FOR or (outcome.error and outcome.error.type == NO_SANDBOX):
            return None
        return UNKNOWN_KIND_AGAIN

    def _fail_or_try_again(self, standing: Standing, failures: int, most: int) -> None:
        if failures >= most:
            self._fail(standing)
            return
        self._take(standing, TRY_AGAIN)
        standing.reason = Reason.RETRY_WAIT
        standing.dispatch_at = standing.run_at = self.now + pause(failures, standing.retry_seconds)

    def _fail(self, standing: Standing) -> None:
        self._take(standing, FAIL)
        assert standing.outcome  # noqa: S101 every caller has set it; this is for the type checker
        standing.reason, standing.finished_at = _reason(standing.outcome), self.now
        error = standing.outcome.error or NO_ERROR
        standing.cause = causes.key_of(standing.reason, error.type[:200], error.message, error.traceback)

    def _charge_crash(self, standing: Standing, how: str) -> None:
        """The same attempt again: that it was begun is all that is known of it."""
        standing.crashes += 1
        if standing.crashes < standing.max_crashes:
            self._take(standing, GIVE_BACK)
            return
        standing.started_at = standing.started_at or self.now
        standing.outcome = Outcome(
            task=standing.task,
            attempt=standing.attempt,
            status="FAILED",
            reason=Reason.CRASHED,
            error=ErrorInfo(type="Crashed", message=how),
            run_seconds=(self.now - standing.started_at).total_seconds(),
        )
        self._fail(standing)

    def _take(self, standing: Standing, step: Step) -> None:
        standing.step, standing.status, standing.reason, standing.dispatch_at = step, step.after, "", None
        self.changed[standing.task] = None

    def _write_attempts(self, standings: Sequence[Standing]) -> None:
        ended = [each for each in standings if each.outcome and each.step is not GIVE_BACK]
        begun = [each for each in standings if not each.outcome and each.started_at]
        # Of one whose kind a worker does not know it is the first time that counts.
        unknown = [each for each in standings if each.outcome and each.step is GIVE_BACK]
        installed = environments.of_workers({each.worker for each in standings if each.worker})
        for group, update in (
            ([*begun, *ended], ("worker", "status", "started_at", "environment", *OUTCOME_COLUMNS)),
            (unknown, ("worker", "status", "environment", *OUTCOME_COLUMNS)),
        ):
            rows = [_attempt_row(standing, installed.get(standing.worker, ""), self.now) for standing in group]
            upsert_rows(Attempt, ATTEMPT_COLUMNS, rows, unique=("task", "number"), update=update)


_STATUS: Final = {status.value: status for status in Status}  # to ask the enum takes longer
OUTCOME_COLUMNS = (
    "reason", "finished_at", "run_seconds", "error_type", "error_message", "traceback", "cpu_seconds", "peak_bytes",
)  # fmt: skip
ATTEMPT_COLUMNS = ("task", "number", "worker", "environment", "status", "started_at", *OUTCOME_COLUMNS)
NO_ERROR = ErrorInfo(type="", message="")


def _first_met(tasks: set[int]) -> dict[int, datetime]:
    met = Attempt.objects.filter(task__in=tasks, number=F("task__attempt"), reason=Reason.UNKNOWN_KIND)
    return dict(met.values_list("task_id", "started_at"))


def _served(tasks: set[int]) -> frozenset[int]:
    """Those whose queue has a worker now that knows their kind, however busy it is."""
    workers = list(Worker.objects.alive().filter(draining=False).values_list("kinds", "queues"))
    asked = Task.objects.filter(id__in=tasks).values_list("id", "kind", "queue")
    return frozenset(task for task, kind, queue in asked if any(kind in own and queue in at for own, at in workers))


def _attempt_row(standing: Standing, environment: str, now: datetime) -> tuple[object, ...]:
    place = (standing.task, standing.attempt, standing.worker, environment)
    outcome = standing.outcome
    if outcome is None:
        return (*place, standing.status, standing.started_at, "", None, None, "", "", "", None, None)
    error = outcome.error or NO_ERROR
    return (
        *place,
        outcome.status,
        standing.started_at,
        _reason(outcome),
        now,
        outcome.run_seconds,
        error.type[:200],
        error.message,
        error.traceback,
        outcome.cpu_seconds,
        outcome.peak_bytes,
    )


def _reason(outcome: Outcome) -> str:
    if outcome.status == Status.FINISHED:
        return ""
    return Reason(outcome.reason) if outcome.reason in Reason.values else Reason.ERROR


def _value(text: str | None) -> tuple[float | None, str]:
    """The number and its text. NaN has only a text: SQLite stores it as NULL, and it has no place in an order."""
    if text is None:
        return None, ""
    number = float(text)
    return None if math.isnan(number) else number, text if len(text) <= 50 else repr(number)
