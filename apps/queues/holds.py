"""Queues in which work waits because somebody wants it so: they paused it, or drained or stopped whoever serves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from apps.queues import figures, resting
from apps.queues.figures import COUNT_CAP
from apps.tasks.clock import database_now
from apps.tasks.sentences import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from apps.queues.models import Worker
    from apps.queues.pauses import Pause
    from apps.tasks.sentences import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A queue, how much waits in it at `now` (above COUNT_CAP: more), and how many `others` are held up as well.

    `told`: what its workers are, where it is not paused.
    """

    queue: str
    waiting: int
    now: datetime
    pause: Pause | None
    told: str = ""
    others: int = 0

    @property
    def page(self) -> str:
        """The name of the address where it can be ended."""
        return "queues:list" if self.pause else "workers:list"

    @property
    def parts(self) -> Parts:
        end = f": {self._count}.{self._rest}"
        if self.pause is None:
            return [f"Every worker of the queue {self.queue} is {self.told}{end}"]
        by = f" by {self.pause.by}" if self.pause.by else ""
        return [f"The queue {self.queue} is paused{by} since ", clock(self.pause.at, self.now), end]

    @property
    def _count(self) -> str:
        if self.waiting > COUNT_CAP:
            return f"more than {COUNT_CAP:,} tasks wait"
        return "1 task waits" if self.waiting == 1 else f"{self.waiting:,} tasks wait"

    @property
    def _rest(self) -> str:
        if not self.others:
            return ""
        return " 1 more queue is held up." if self.others == 1 else f" {self.others:,} more queues are held up."


def worst(workers: Sequence[Worker], paused: Mapping[str, Pause]) -> Hold | None:
    """The one in which most waits. `workers`: all that are alive, with who has told them what."""
    queues = {queue for worker in workers for queue in worker.queues}
    serving = {queue: [worker for worker in workers if queue in worker.queues] for queue in queues - paused.keys()}
    rests = {queue: each for queue, each in serving.items() if all(worker.is_resting for worker in each)}
    if not (paused or rests):
        return None
    now = database_now()
    found = [
        Hold(
            queue=queue,
            waiting=count,
            now=now,
            pause=paused.get(queue),
            told=resting.told(rests[queue]) if queue in rests else "",
        )
        for queue, count in figures.waiting(paused.keys() | rests.keys(), now).items()
        if count
    ]
    first = max(found, key=lambda hold: (hold.waiting, hold.queue), default=None)
    return first and replace(first, others=len(found) - 1)
