"""Cancelling and retrying as the services do it, whoever asks."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.tasks.clock import ticks
from apps.tasks.lifecycle import FINAL, LIVE, Status
from apps.tasks.models import CancelledAttempt, Kind, Task
from apps.tasks.recording import claim, record
from apps.tasks.services import Act, cancel, delete, retry
from tests.tasks.events import batch, failed, finished, returned, started
from tests.tasks.rows import a_task

pytestmark = pytest.mark.django_db


def told() -> list[tuple[int, int]]:
    return list(CancelledAttempt.objects.untold(100).values())


@pytest.mark.parametrize("status", Status.values)
def test_what_has_not_ended_can_be_cancelled_and_what_has_can_be_retried(alice: User, status: str) -> None:
    task = a_task(alice, status=status)
    assert cancel(user=alice, numbers=[task.pk]).done == ([task.pk] if status in LIVE else [])
    Task.objects.filter(pk=task.pk).update(status=status)
    assert retry(user=alice, numbers=[task.pk]).done == ([task.pk] if status in FINAL else [])


def test_a_cancelled_task_is_not_run_and_its_late_outcome_changes_nothing(alice: User, kinds: dict[str, Kind]) -> None:
    task = a_task(alice, handed_at=timezone.now())
    record([batch(started(task))])
    before = ticks()
    assert cancel(user=alice, numbers=[task.pk]).done == [task.pk]
    assert ticks() > before
    assert claim(task.pk, 1).verdict == "DROP"
    assert record([batch(started(task), finished(task))]) == ["CANCELLED", "CANCELLED"]
    task.refresh_from_db()
    assert (task.status, task.value, task.dispatch_at) == ("CANCELLED", None, None)
    assert task.finished_at
    attempt = task.attempts.get()
    assert attempt.status == "CANCELLED"
    assert attempt.finished_at


def test_an_attempt_that_had_come_back_does_not_run_until_its_cancel(alice: User, kinds: dict[str, Kind]) -> None:
    task = a_task(alice, handed_at=timezone.now())
    record([batch(started(task), returned(task))])
    cancel(user=alice, numbers=[task.pk])
    attempt = task.attempts.get()
    assert (attempt.status, attempt.finished_at, attempt.ran_seconds) == ("CANCELLED", None, None)


def test_workers_are_told_of_what_they_or_the_broker_may_have(alice: User) -> None:
    now = timezone.now()
    tasks = [
        a_task(alice, dispatch_at=now + timedelta(hours=1)),  # nobody has it
        a_task(alice, dispatch_at=now - timedelta(seconds=1)),  # the relay may be handing it over
        a_task(alice, handed_at=now),
        a_task(alice, status="RUNNING", handed_at=now),
        a_task(alice, dispatch_at=now + timedelta(hours=1), handed_at=now),
    ]
    cancel(user=alice, numbers=[task.pk for task in tasks])
    assert told() == [(task.pk, 1) for task in tasks[1:]]
    CancelledAttempt.objects.told(list(CancelledAttempt.objects.untold(3)))
    assert told() == [(tasks[4].pk, 1)]
    assert CancelledAttempt.objects.to_tell_a_newcomer()[0] == (tasks[4].pk, 1)
    assert len(CancelledAttempt.objects.to_tell_a_newcomer()) == 4


def test_what_no_broker_can_hold_any_more_is_forgotten(alice: User) -> None:
    CancelledAttempt.objects.add([(1, 1)], timezone.now() - timedelta(days=8))
    CancelledAttempt.objects.add([(2, 1)], timezone.now())
    CancelledAttempt.objects.told(list(CancelledAttempt.objects.untold(100)))
    assert CancelledAttempt.objects.to_tell_a_newcomer() == [(2, 1)]


def test_a_deleted_task_that_the_broker_has_is_not_run_either(alice: User) -> None:
    task, ended = a_task(alice, handed_at=timezone.now()), a_task(alice, status="FAILED", handed_at=timezone.now())
    delete(user=alice, numbers=[task.pk, ended.pk])
    assert told() == [(task.pk, 1)]


def test_a_retry_makes_the_next_attempt_as_if_it_were_new(alice: User, kinds: dict[str, Kind]) -> None:
    task = a_task(alice, max_attempts=2, handed_at=timezone.now())
    for attempt in (1, 2):
        record([batch(failed(task, attempt))])
    assert retry(user=alice, numbers=[task.pk]).done == [task.pk]
    task.refresh_from_db()
    assert (task.status, task.attempt, task.errors, task.crashes, task.worker) == ("QUEUEING", 3, 0, 0, "")
    assert (task.started_at, task.finished_at, task.handed_at) == (None, None, None)
    assert task.dispatch_at
    assert task.dispatch_at == task.run_at
    assert task.dispatch_at <= timezone.now()
    record([batch(failed(task, 3))])
    task.refresh_from_db()
    assert (task.status, task.attempt) == ("QUEUEING", 4)
    assert list(task.attempts.values_list("number", flat=True)) == [1, 2, 3]


def test_a_retry_forgets_the_value_and_keeps_the_attempts(alice: User) -> None:
    task = a_task(alice)
    record([batch(finished(task, result="7"))])
    retry(user=alice, numbers=[task.pk])
    task.refresh_from_db()
    assert (task.value, task.value_text, task.result) == (None, "", None)
    assert task.attempts.get().status == "FINISHED"


def test_two_quick_retries_make_one_attempt(alice: User) -> None:
    task = a_task(alice, status="FAILED")
    assert retry(user=alice, numbers=[task.pk, task.pk]).done == [task.pk]
    second = retry(user=alice, numbers=[task.pk])
    assert second.done == []
    assert second.refused == {task.pk: f"Task {task.pk} is queueing: it can be retried once it has ended."}
    task.refresh_from_db()
    assert task.attempt == 2


def test_the_refusal_of_a_cancel_says_how_it_ended(alice: User) -> None:
    task = a_task(alice, status="FINISHED")
    assert cancel(user=alice, numbers=[task.pk]).refused == {task.pk: f"Task {task.pk} has already ended (finished)."}


@pytest.mark.parametrize("act", [cancel, retry])
def test_nobody_acts_on_what_they_may_not_see(alice: User, bob: User, sam: User, act: Callable[..., Act]) -> None:
    task = a_task(alice, status="QUEUEING" if act is cancel else "FAILED")
    numbers: Sequence[int] = [task.pk, 2**70, -1]
    assert act(user=bob, numbers=numbers).done == []
    assert act(user=bob, numbers=numbers).refused == {}
    assert act(user=sam, numbers=numbers).done == [task.pk]
