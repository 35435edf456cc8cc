"""What workers report, recorded: each event once, in one transaction a batch, whatever arrives twice or too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from apps.queues import health, heartbeats
from apps.tasks.clock import tick
from apps.tasks.lifecycle import LIVE, Status
from apps.tasks.models import Task
from apps.tasks.standings import Page, Verdict
from apps.tasks.writes import together
from workers.messages import BadMessage, Event, Vanished, check_batch, decode_event

if TYPE_CHECKING:
    from collections.abc import Sequence

Report = tuple[str, Event]  # who says it, what happened


class Claim(NamedTuple):
    """The answer to a worker: "RUN", "DROP", or "HELD" by the worker `holder`, which may be gone."""

    verdict: str
    holder: str = ""


def record(batches: Sequence[object]) -> list[Verdict]:
    """One verdict per event, in order over all batches (JSON data of `workers.messages.EventBatch`).

    Raises BadMessage when a batch is none at all; a malformed event in it only gets INVALID.
    """
    checked = [check_batch(batch) for batch in batches]
    reports = [_report(batch["worker"], event) for batch in checked for event in batch["events"]]
    with transaction.atomic():
        page = Page.of(event for _, event in filter(None, reports))
        verdicts = [page.apply(*report) if report else Verdict.INVALID for report in reports]
        page.write_output()
        beats = [(batch["worker"], batch["heartbeat"]) for batch in checked if batch.get("heartbeat")]
        somebody_left = heartbeats.record(beats, page.now)
        health.beat_now_and_then("sink")
        if canaries := [batch["canary"] for batch in checked if batch.get("canary") is not None]:
            health.record_canary(max(canaries), page.now)
        with together():
            # Of the parts of one statement PostgreSQL does the last one first: so the clock's row is locked last.
            if somebody_left or page.changed:
                tick(page.changed)
            page.write()
    return verdicts


def claim(task: int, attempt: int) -> Claim:
    """Whether a delivery that may be a duplicate is still to be run."""
    status_and_holder = Task.objects.filter(id=task, attempt=attempt, status__in=LIVE).values_list("status", "worker")
    status, holder = status_and_holder.first() or ("", "")
    if status == Status.RUNNING and holder:
        return Claim("HELD", holder)
    return Claim("RUN" if status else "DROP")


def charge_vanished(task: int, attempt: int, holder: str) -> None:
    """Its run there has ended without a word. That is charged to the task, which may have had enough of it."""
    event = Vanished(task=task, attempt=attempt, holder=holder)
    with transaction.atomic():
        page = Page.of([event])
        page.apply("", event)
        page.write()
        if page.changed:
            tick(page.changed)


def _report(worker: str, event: Any) -> Report | None:
    try:
        return worker[:200], decode_event(event)
    except BadMessage:
        return None
