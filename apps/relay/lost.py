"""Which tasks may be lost, by the database alone, and what is done for those that are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction

from apps.queues.models import Worker
from apps.tasks import recording
from apps.tasks.clock import tick
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

MOST = 10_000  # of a queue at once: the broker holds no more


class Suspect(NamedTuple):
    """An attempt of which nothing has been heard for long, in the state in which it was found."""

    task: int
    attempt: int
    queue: str
    status: str
    worker: str
    handed_at: datetime
    forgotten: bool = False  # its worker is there, and does not run it


def suspects(queues: Collection[str], lost_before: datetime) -> set[Suspect]:
    """Those in these queues that the broker has had since `lost_before`, and none of the workers is known to run."""
    found: set[Suspect] = set()
    for queue in queues:
        found.update(_waiting(queue, lost_before))
    if queues:
        found.update(_abandoned(queues, lost_before))
    return found


def rescue(lost: Collection[Suspect]) -> None:
    """Have the relay hand them over again. A run whose worker has forgotten it is charged as one that vanished."""
    for each in lost:
        if each.forgotten:
            recording.charge_vanished(each.task, each.attempt, each.worker)
    with transaction.atomic():
        Task.objects.hand_over_again([(each.task, each.attempt) for each in lost])
        if lost:
            tick(each.task for each in lost)


def _waiting(queue: str, lost_before: datetime) -> Iterator[Suspect]:
    waiting = Task.objects.filter(
        queue=queue, status=Status.QUEUEING, dispatch_at__isnull=True, handed_at__lt=lost_before
    )
    rows = waiting.order_by("handed_at").values_list(*COLUMNS)[:MOST]
    return (Suspect(*row) for row in rows)


def _abandoned(queues: Collection[str], lost_before: datetime) -> Iterator[Suspect]:
    running = Task.objects.filter(
        status=Status.RUNNING,
        queue__in=queues,
        dispatch_at__isnull=True,
        started_at__lt=lost_before,
        handed_at__lt=lost_before,
    )
    rows = [Suspect(*row) for row in running.order_by("id").values_list(*COLUMNS)[:MOST]]
    heard = Worker.objects.filter(name__in={row.worker for row in rows}, last_seen_at__gte=lost_before)
    runs = dict(heard.values_list("name", "running")) if rows else {}
    for row in rows:
        if row.worker not in runs:
            yield row
        elif row.task not in runs[row.worker]:
            yield row._replace(forgotten=True)


COLUMNS = ("id", "attempt", "queue", "status", "worker", "handed_at")
