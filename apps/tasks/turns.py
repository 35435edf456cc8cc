"""Whose turn it is: the order in which waiting tasks begin, and what of it one that waits can be told.

Each read is of an index, and of a bounded part of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from apps.tasks import priority
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apps.queues.models import Worker
    from apps.tasks.querysets import TaskQuerySet

# The relay takes what is due of one priority in this order, the highest priority first.
IN_TURN: Final = ("dispatch_at", "id")
IN_BROKER: Final = ("handed_at", "id")  # what was handed over at once has one time
PLACE_CAP = 10_000
MOST_RUNNING = 5_000
NEWEST_ENDED = 1_000  # of all queues: these tell how long tasks of a queue take
FEWEST_ENDED = 3
PLACE_SECONDS, MEDIAN_SECONDS = 1, 5  # so long everybody who looks gets the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where a waiting task stands, and what stands before it.

    `place`: 1 begins next; above PLACE_CAP it is further back than that. `used`: slots of those that serve its queue,
    `since` when the longest of what runs there has begun. `starts_at`: about; None when that cannot be told.
    """

    place: int
    used: int
    since: datetime | None
    starts_at: datetime | None


def of(task: Task, serving: Sequence[Worker], now: datetime) -> Turn | None:
    """`serving`: the workers that take tasks of its queue, at least one. None: the order does not tell."""
    place = cache.get_or_set(f"place-{task.pk}-{task.attempt}", lambda: _place(task, now) or 0, PLACE_SECONDS)
    if not place:
        return None
    begun = cache.get_or_set("begun", _begun, PLACE_SECONDS) or {}
    here = {worker.name: begun.get(worker.name, [])[: worker.concurrency] for worker in serving}
    running = [at for each in here.values() for at in each]
    slots = max(sum(worker.concurrency for worker in serving), 1)
    return Turn(
        place=place,
        used=len(running),
        since=min(running, default=None),
        starts_at=_starts_at(place, slots, running, _usual_seconds(task.queue), now),
    )


def _place(task: Task, now: datetime) -> int | None:
    queued = Task.objects.filter(queue=task.queue)
    in_broker = queued.filter(status=Status.QUEUEING, dispatch_at__isnull=True)
    if task.dispatch_at:
        due = queued.filter(dispatch_at__lte=now)
        higher = [due.filter(priority=each) for each in priority.due(task.queue) if each > task.priority]
        before = [in_broker, *higher, *_before(due.filter(priority=task.priority), task, IN_TURN)]
    elif task.handed_at:
        before = list(_before(in_broker, task, IN_BROKER))
    else:
        return None
    left = PLACE_CAP + 1
    for part in before:
        left -= part.order_by()[:left].count() if left else 0
    return PLACE_CAP + 1 - left + 1


def _before(tasks: TaskQuerySet, task: Task, order: Sequence[str]) -> Iterator[TaskQuerySet]:
    """Those that come first, in parts: of an OR of them no planner makes one walk of an index."""
    same: dict[str, object] = {}
    for column in order:
        value = getattr(task, column)
        yield tasks.filter(**same, **{f"{column}__lt": value})
        same[column] = value


def _begun() -> dict[str, list[datetime]]:
    """When each task that runs has begun, by worker."""
    running = Task.objects.filter(status=Status.RUNNING, started_at__isnull=False).order_by("id")
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    for worker, at in running.values_list("worker", "started_at")[:MOST_RUNNING]:
        if at:
            found[worker].append(at)
    return dict(found)


def _usual_seconds(queue: str) -> float | None:
    """How long a task of this queue runs."""
    ran = cache.get_or_set("medians", _medians, MEDIAN_SECONDS) or {}
    seconds: float | None = ran.get(queue)
    return seconds


def _medians() -> dict[str, float]:
    ended = Task.objects.filter(finished_at__isnull=False).order_by("-finished_at", "-id")
    ran = defaultdict(list)
    for queue, seconds in ended.values_list("queue", "run_seconds")[:NEWEST_ENDED]:
        if seconds is not None:
            ran[queue].append(seconds)
    return {queue: median(each) for queue, each in ran.items() if len(each) >= FEWEST_ENDED}


def _starts_at(
    place: int, slots: int, running: Sequence[datetime], usual_seconds: float | None, now: datetime
) -> datetime | None:
    """What runs for the rest of its time, and each task before it, as long as tasks usually do; shared by the slots."""
    if usual_seconds is None or place > PLACE_CAP:
        return None
    ran = [(now - at).total_seconds() for at in running]
    # What takes longer than the ones before it have tells more than these do.
    each = max(usual_seconds, median(ran) if ran else 0.0)
    seconds = (sum(max(each - so_far, 0.0) for so_far in ran) + each * (place - 1)) / slots
    return now + timedelta(seconds=seconds) if seconds else None
