"""What workers run now: how many tasks each, and which of them a person may see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from apps.tasks.lifecycle import Status
from apps.tasks.models import Task
from workers.messages import BIGGEST_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

    from apps.queues.models import Worker

MOST_TASKS = 5  # of one worker, by name
BRIEF = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """What a worker runs now. `tasks`: (number, name) of those that this person may see, the oldest first."""

    tasks: tuple[tuple[int, str], ...] = ()
    more: int = 0  # of this person's to see
    others: int = 0  # of other people


def counts(workers: Sequence[Worker]) -> Counter[str]:
    """How many tasks each of them runs, by the rows of the tasks: these are newer than its heartbeat."""
    running = Task.objects.filter(status=Status.RUNNING, worker__in=[worker.name for worker in workers])
    return Counter(dict(running.order_by().values_list("worker").annotate(Count("pk"))))


def runs(workers: Sequence[Worker], busy: Counter[str], user: User) -> dict[str, Runs]:
    """Names nothing but what this person may see."""
    names = [worker.name for worker in workers if busy[worker.name]]
    if not names:
        return {}
    mine = Task.objects.visible_to(user).filter(status=Status.RUNNING, worker__in=names).order_by()
    counted = mine.annotate(
        nth=Window(RowNumber(), partition_by="worker", order_by="id"), of=Window(Count("id"), partition_by="worker")
    )
    found: dict[str, list[tuple[int, str]]] = {}
    visible: dict[str, int] = {}
    rows = counted.filter(nth__lte=MOST_TASKS).order_by("worker", "id").values_list("worker", "of", "id", "name")
    for worker, of, number, name in rows:
        visible[worker] = of
        found.setdefault(worker, []).append((number, name))
    return {name: _runs_of(found.get(name, []), visible.get(name, 0), busy[name]) for name in names}


def _runs_of(tasks: list[tuple[int, str]], visible: int, busy: int) -> Runs:
    return Runs(tasks=tuple(tasks), more=visible - len(tasks), others=max(busy - visible, 0))


def brief(workers: Sequence[Worker]) -> Counter[str]:
    """How many more tasks each was running at its last heartbeat, of those that nothing else tells of.

    The start of a task that takes moments does not travel. A longer one that the heartbeat knows has ended since.
    """
    told = {
        number: worker.name
        for worker in workers
        for number in worker.running[: worker.concurrency]
        if 0 < number <= BIGGEST_ID
    }
    if not told:
        return Counter()
    longer = Task.objects.filter(pk__in=told, started_at__isnull=False).exclude(
        finished_at__isnull=False, finished_at__lt=F("started_at") + BRIEF
    )
    known = set(longer.values_list("pk", flat=True))
    return Counter(name for number, name in told.items() if number not in known)
