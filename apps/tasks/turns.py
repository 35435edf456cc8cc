"""Whose turn it is: the order in which waiting tasks begin, and what of it one that waits can be told.

Each read is of an index, and of a bounded part of it.
"""

from __future__ import annotations

from bisect import bisect_right
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
PLACE_SECONDS, RAN_SECONDS = 1, 5  # so long everybody who looks gets the same


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
        starts_at=_starts_at(place, slots, running, _ran(task.queue), now),
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


def _ran(queue: str) -> Sequence[float]:
    """How long tasks of this queue have run, in ascending order; none when they are too few to tell anything."""
    ran: dict[str, list[float]] = cache.get_or_set("ran", _ran_of_each, RAN_SECONDS) or {}
    return ran.get(queue, ())


def _ran_of_each() -> dict[str, list[float]]:
    ended = Task.objects.filter(finished_at__isnull=False).order_by("-finished_at", "-id")
    ran = defaultdict(list)
    for queue, seconds in ended.values_list("queue", "run_seconds")[:NEWEST_ENDED]:
        if seconds is not None:
            ran[queue].append(seconds)
    return {queue: sorted(each) for queue, each in ran.items() if len(each) >= FEWEST_ENDED}


def _starts_at(
    place: int, slots: int, running: Sequence[datetime], ran: Sequence[float], now: datetime
) -> datetime | None:
    """What runs, and each task before it, takes as long as tasks usually do; shared by the slots.

    The slot of one that has outlived all but a few of those before it is not counted on.
    """
    if not ran or place > PLACE_CAP:
        return None
    left = [_left((now - at).total_seconds(), ran) for at in running]
    known = [seconds for seconds in left if seconds is not None]
    free = slots - (len(left) - len(known))
    if free <= 0:
        return None
    seconds = (sum(known) + median(ran) * (place - 1)) / free
    return now + timedelta(seconds=seconds) if seconds else None


def _left(so_far: float, ran: Sequence[float]) -> float | None:
    """How much longer a task runs that has run `so_far`: as those did that took longer. None: there are too few."""
    longer = ran[bisect_right(ran, so_far) :]
    return median(longer) - so_far if len(longer) >= FEWEST_ENDED else None
