"""Which of the due attempts are sent marked as perhaps sent before."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.relay.doubts import Doubts
from apps.relay.schedule import Due
from apps.tasks.models import Task

NOW = timezone.now()


def due(task: int, queue: str, seconds: int) -> Due:
    at = NOW + timedelta(seconds=seconds)
    return Due(task=task, attempt=1, kind="k", queue=queue, reason="", dispatch_at=at)


def test_of_every_queue_the_first_that_were_due_may_have_been_sent_before() -> None:
    doubts = Doubts(NOW, 2)
    batch = [due(1, "a", -3), due(2, "a", -2), due(3, "a", -1), due(4, "b", -1), due(5, "b", 1)]
    assert doubts.about(batch) == {(1, 1), (2, 1), (4, 1)}
    assert doubts.about([due(6, "b", -1), due(7, "b", -1)]) == {(6, 1)}


@pytest.mark.django_db
def test_what_was_not_answered_is_doubtful_until_it_is_no_longer_due() -> None:
    waits, had, ended, gone = (Task.objects.create(name=n, kind="k", created_at=NOW, dispatch_at=NOW) for n in "abcd")
    doubts = Doubts(NOW, 0)
    doubts.unanswered({(task.pk, 1) for task in (waits, had, ended, gone)})
    Task.objects.filter(pk=had.pk).update(dispatch_at=None)
    Task.objects.filter(pk=ended.pk).update(attempt=2)
    Task.objects.filter(pk=gone.pk).delete()
    doubts.forget_what_is_over()
    assert doubts.about([]) == {(waits.pk, 1)}
