"""Which of the attempts that are due the broker may have already: they are sent marked `x-again`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from apps.tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from apps.relay.schedule import Due

Attempts = set[tuple[int, int]]


class Doubts:
    """`taken_at`: when this relay took its seat. Whatever was due before may have been published by the one before it,
    which could not mark it any more: of each queue the first of them, as many as it can have had under way.
    """

    def __init__(self, taken_at: datetime, under_way: int) -> None:
        self._taken_at = taken_at
        self._left: defaultdict[str, int] = defaultdict(lambda: under_way)
        self._unanswered: Attempts = set()

    def about(self, batch: Iterable[Due]) -> Attempts:
        """Those of a batch; to be asked once for each batch."""
        found = set()
        for each in batch:
            if each.dispatch_at < self._taken_at and self._left[each.queue]:
                self._left[each.queue] -= 1
                found.add((each.task, each.attempt))
        return found | self._unanswered

    def unanswered(self, attempts: Attempts) -> None:
        """The broker was sent these and did not answer."""
        self._unanswered |= attempts

    def forget_what_is_over(self) -> None:
        """Those that the broker did have may have ended meanwhile, and are not due any more."""
        if self._unanswered:
            ids = [task for task, _ in self._unanswered]
            due = Task.objects.filter(id__in=ids, dispatch_at__isnull=False)
            self._unanswered &= set(due.values_list("id", "attempt"))
