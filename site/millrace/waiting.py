"""Waits for many tasks at the price of one: asks for those that have not ended yet, a hundred at a time.

Tasks end roughly in the order in which they were created. So the first hundred that are open tell when to look at the
next, and ten thousand tasks cost a hundred questions and a few.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from millrace import documents
from millrace.errors import NotFound, TimedOut
from millrace.tasks import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from millrace.tasks import Task
    from millrace.transport import Transport

AT_ONCE = 100
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0


def wait(tasks: Iterable[Task], timeout: float | None = None) -> list[Task]:
    """Until all have ended, however; the same tasks, as they are then.

    Raises TimedOut after so many seconds, NotFound when one was deleted meanwhile.
    """
    wanted = list(tasks)
    watches: dict[Transport, _Watch] = {}
    for task in wanted:
        watches.setdefault(task._transport, _Watch(task._transport)).add(task)  # noqa: SLF001 of this package
    end = None if timeout is None else time.monotonic() + timeout
    pause = FIRST_PAUSE
    while open_ := [watch for watch in watches.values() if watch.open]:
        ended = sum(watch.look() for watch in open_)
        if ended >= AT_ONCE or not any(watch.open for watch in open_):
            continue
        pause = max(pause / 2, FIRST_PAUSE) if ended else min(1.5 * pause, LONGEST_PAUSE)
        left = pause if end is None else end - time.monotonic()
        if left <= 0:
            raise _timed_out([task for watch in open_ for tasks in watch.open.values() for task in tasks])
        time.sleep(min(pause, left))
    return wanted


class _Watch:
    """The tasks of one server that have not ended, by their numbers."""

    def __init__(self, transport: Transport) -> None:
        self.open: dict[int, list[Task]] = {}
        self._transport = transport

    def add(self, task: Task) -> None:
        self.open.setdefault(task.number, []).append(task)

    def look(self) -> int:
        """At the first of them; how many have ended. Raises NotFound."""
        asked = sorted(self.open)[:AT_ONCE]
        statuses = {row["number"]: row["status"] for row in self._rows(documents.STATUSES, asked)}
        if missing := [number for number in asked if number not in statuses]:
            raise NotFound(f"there is no task {missing[0]} any more")
        ended = [number for number in asked if statuses[number] in ENDED]
        rows = [row for row in self._rows(documents.OUTCOMES, ended) if row["status"] in ENDED]  # not retried meanwhile
        for row in rows:
            for task in self.open.pop(row["number"]):
                task._take(row)  # noqa: SLF001 of this package
        return len(rows)

    def _rows(self, document: str, numbers: list[int]) -> list[dict[str, Any]]:
        if not numbers:
            return []
        ids = [str(number) for number in numbers]
        rows: list[dict[str, Any]] = self._transport.ask(document, {"ids": ids}, safe=True)["tasks"]["nodes"]
        return rows


def _timed_out(open_: list[Task]) -> TimedOut:
    first, *others = open_
    more = f" and {len(others):,} more" if others else ""
    return TimedOut(f"task {first.number}{more} did not end in time", open_)
