"""What workers report, recorded: each event once, in one transaction a batch, whatever arrives twice or too late."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.queues import health, heartbeats
from apps.tasks.batches import upsert_rows
from apps.tasks.clock import database_now, tick
from apps.tasks.lifecycle import FINAL, LIVE, OUTCOME_STEPS, START, Reason, Status
from apps.tasks.models import Attempt, Task
from workers.messages import BadMessage, ErrorInfo, Event, Outcome, check_batch, decode_event

if TYPE_CHECKING:
    from collections.abc import Sequence

Report = tuple[str, Event]  # who says it, what happened


class Verdict(StrEnum):
    """What became of one event."""

    APPLIED = "APPLIED"
    DUPLICATE = "DUPLICATE"
    STALE = "STALE"
    CANCELLED = "CANCELLED"
    UNKNOWN_TASK = "UNKNOWN_TASK"
    INVALID = "INVALID"


def record(batches: Sequence[object]) -> list[Verdict]:
    """One verdict per event, in order over all batches (JSON data of `workers.messages.EventBatch`).

    Raises BadMessage when a batch is none at all; a malformed event in it only gets INVALID.
    """
    checked = [check_batch(batch) for batch in batches]
    reports = [_report(batch["worker"], event) for batch in checked for event in batch["events"]]
    with transaction.atomic():
        now = database_now()
        page = _Page.of({event.task for _, event in filter(None, reports)}, now)
        verdicts = [page.apply(*report) if report else Verdict.INVALID for report in reports]
        page.write()
        beats = [(batch["worker"], batch["heartbeat"]) for batch in checked if batch.get("heartbeat")]
        somebody_left = heartbeats.record(beats, now)
        health.beat_now_and_then("sink")
        if somebody_left or Verdict.APPLIED in verdicts:
            tick()
    return verdicts


def claim(task: int, attempt: int) -> str:
    """Whether a delivery that may be a duplicate is still to be run: "RUN" or "DROP"."""
    wanted = Task.objects.filter(id=task, attempt=attempt, status__in=LIVE).exists()
    return "RUN" if wanted else "DROP"


def _report(worker: str, event: Any) -> Report | None:
    try:
        return worker[:200], decode_event(event)
    except BadMessage:
        return None


@dataclass(slots=True)
class _Standing:
    """One task's row as it stands while the batch is applied to it."""

    task: int
    attempt: int
    status: Status
    worker: str
    started_at: datetime | None
    outcome: Outcome | None = None
    changed: bool = False


@dataclass(slots=True)
class _Page:
    """The rows of a batch, locked, with what the batch does to them."""

    now: datetime
    standings: dict[int, _Standing] = field(default_factory=dict)

    @classmethod
    def of(cls, tasks: set[int], now: datetime) -> _Page:
        # Locked in id order, as the relay locks them: two writers of many rows would deadlock on PostgreSQL otherwise.
        rows = (
            Task.objects.filter(id__in=tasks)
            .order_by("id")
            .select_for_update(no_key=True)
            .values_list("id", "attempt", "status", "worker", "started_at")
        )
        standings = [_Standing(task, attempt, Status(s), worker, begun) for task, attempt, s, worker, begun in rows]
        return cls(now, {standing.task: standing for standing in standings})

    def apply(self, worker: str, event: Event) -> Verdict:
        standing = self.standings.get(event.task)
        if standing is None:
            return Verdict.UNKNOWN_TASK
        if event.attempt != standing.attempt:
            return Verdict.STALE
        if standing.status in FINAL:
            return Verdict.CANCELLED if standing.status == Status.CANCELLED else Verdict.DUPLICATE
        if isinstance(event, Outcome):
            standing.status = OUTCOME_STEPS[Status(event.status)].after
            standing.started_at = standing.started_at or self.now - timedelta(seconds=event.run_seconds)
            standing.outcome = event
        elif standing.status == Status.RUNNING and standing.worker == worker:
            return Verdict.DUPLICATE
        else:
            standing.status = START.after
            standing.started_at = self.now
        standing.worker, standing.changed = worker, True
        return Verdict.APPLIED

    def write(self) -> None:
        changed = [standing for standing in self.standings.values() if standing.changed]
        self._write_starts([standing for standing in changed if standing.outcome is None])
        for status, step in OUTCOME_STEPS.items():
            ended = [standing for standing in changed if standing.status == status]
            columns = ("reason", "worker", "value", "value_text", "result", "started_at", "finished_at", "dispatch_at")
            Task.objects.take(step, columns, [self._outcome_row(standing) for standing in ended])
            self._write_attempts(ended, ("worker", "status", *OUTCOME_COLUMNS))

    def _write_starts(self, begun: list[_Standing]) -> None:
        rows = [("", s.worker, s.started_at, None, s.task, s.attempt) for s in begun]
        Task.objects.take(START, ("reason", "worker", "started_at", "dispatch_at"), rows)
        self._write_attempts(begun, ("worker", "status", "started_at"))

    def _outcome_row(self, standing: _Standing) -> tuple[Any, ...]:
        outcome = standing.outcome
        assert outcome  # noqa: S101 told apart by status above; this is for the type checker
        value, value_text = _value(outcome.value)
        times = (standing.started_at, self.now, None)
        place = (standing.task, standing.attempt)
        return (_reason(outcome), standing.worker, value, value_text, outcome.result, *times, *place)

    def _write_attempts(self, standings: list[_Standing], update: Sequence[str]) -> None:
        rows = [self._attempt_row(standing) for standing in standings]
        upsert_rows(Attempt, ATTEMPT_COLUMNS, rows, unique=("task", "number"), update=update)

    def _attempt_row(self, standing: _Standing) -> tuple[Any, ...]:
        place = (standing.task, standing.attempt, standing.worker, standing.status, standing.started_at)
        outcome = standing.outcome
        if outcome is None:
            return (*place, "", None, None, "", "", "")
        error = outcome.error or NO_ERROR
        ended = (_reason(outcome), self.now, outcome.run_seconds)
        return (*place, *ended, error.type[:200], error.message, error.traceback)


OUTCOME_COLUMNS = ("reason", "finished_at", "run_seconds", "error_type", "error_message", "traceback")
ATTEMPT_COLUMNS = ("task", "number", "worker", "status", "started_at", *OUTCOME_COLUMNS)
NO_ERROR = ErrorInfo(type="", message="")


def _reason(outcome: Outcome) -> str:
    if outcome.status == Status.FINISHED:
        return ""
    return outcome.reason if outcome.reason in Reason.values else Reason.ERROR


def _value(text: str | None) -> tuple[float | None, str]:
    """The number and its text. NaN has only a text: SQLite stores it as NULL, and it has no place in an order."""
    if text is None:
        return None, ""
    number = float(text)
    return None if math.isnan(number) else number, text if len(text) <= 50 else repr(number)
