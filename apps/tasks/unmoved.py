"""Which of some tasks nothing has happened to since a moment: what somebody meant then is what they are still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from apps.tasks.lifecycle import Reason
from apps.tasks.models import Attempt

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from apps.tasks.querysets import TaskQuerySet


def unended(tasks: TaskQuerySet, since: datetime) -> TaskQuerySet:
    """Those that have neither ended since then, nor been retried by a person.

    Of a person's retry no errors are counted, unlike of a task that waits for its next try, which was due later too.
    """
    return tasks.exclude(finished_at__gt=since).exclude(attempt__gt=1, errors=0, crashes=0, run_at__gt=since)


def unmoved(tasks: TaskQuerySet, numbers: Collection[int], since: datetime) -> TaskQuerySet:
    """Those of `numbers`, which are not many, that are in the status in which they were then.

    That a worker gave back what it had not ended is told by no time: such a one counts as if it had waited all along.
    """
    began_or_ended = Q(started_at__gt=since) | Q(finished_at__gt=since)
    # One whose kind its worker did not know has waited all along.
    attempts = Attempt.objects.filter(began_or_ended, task__in=numbers).exclude(reason=Reason.UNKNOWN_KIND)
    moved = set(attempts.order_by().values_list("task", flat=True))
    return unended(tasks, since).exclude(started_at__gt=since).exclude(pk__in=moved)
