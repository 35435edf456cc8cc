"""What follows an attempt that did not finish: the next one after a pause, the same one again, or the end."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.queues.models import Worker
from apps.tasks.models import Attempt, Kind, Task
from apps.tasks.recording import claim, record
from apps.tasks.retrying import JITTER, LONGEST_SECONDS, pause
from tests.tasks.events import batch, failed, finished, returned, started, undeliverable, vanished
from tests.tasks.rows import a_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(alice: User, kinds: dict[str, Kind]) -> Task:
    return a_task(alice, max_attempts=3, retry_seconds=10.0, handed_at=timezone.now())


def seconds_until(task: Task) -> float:
    assert task.dispatch_at
    return (task.dispatch_at - timezone.now()).total_seconds()


def status_of(task: Task) -> tuple[Any, ...]:
    task.refresh_from_db()
    return task.status, task.reason, task.attempt, task.errors, task.crashes


def numbered(task: Task) -> list[tuple[Any, ...]]:
    return list(task.attempts.values_list("number", "status", "reason"))


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_an_error_is_followed_by_the_next_attempt_after_a_pause(task: Task, reason: str) -> None:
    record([batch(started(task))])
    assert record([batch(failed(task, reason=reason))]) == ["APPLIED"]
    assert status_of(task) == ("QUEUEING", "RETRY_WAIT", 2, 1, 0)
    assert 7 < seconds_until(task) < 13
    assert (task.run_at, task.worker, task.started_at, task.handed_at) == (task.dispatch_at, "", None, None)
    assert numbered(task) == [(1, "FAILED", reason)]
    assert task.attempts.get().error_message == "no"


def test_the_last_attempt_that_may_fail_is_the_end(task: Task) -> None:
    verdicts = [record([batch(failed(task, attempt))]) for attempt in (1, 2, 3)]
    assert verdicts == [["APPLIED"]] * 3
    assert status_of(task) == ("FAILED", "ERROR", 3, 3, 0)
    assert numbered(task) == [(1, "FAILED", "ERROR"), (2, "FAILED", "ERROR"), (3, "FAILED", "ERROR")]


def test_a_later_attempt_may_finish(task: Task) -> None:
    record([batch(failed(task))])
    assert record([batch(finished(task, 1), finished(task, 2))]) == ["STALE", "APPLIED"]
    assert status_of(task) == ("FINISHED", "", 2, 1, 0)


def test_what_comes_after_an_error_in_the_same_batch_is_stale(task: Task) -> None:
    assert record([batch(failed(task), failed(task), started(task))]) == ["APPLIED", "STALE", "STALE"]
    assert status_of(task) == ("QUEUEING", "RETRY_WAIT", 2, 1, 0)


@pytest.mark.parametrize("reason", ["RESULT_TOO_LARGE", "RESULT_NOT_SERIALISABLE"])
def test_what_would_only_happen_again_is_the_end_at_once(task: Task, reason: str) -> None:
    record([batch(failed(task, reason=reason))])
    assert status_of(task) == ("FAILED", reason, 1, 0, 0)


def test_crashes_are_counted_apart_from_errors(task: Task) -> None:
    record([batch(failed(task, 1, reason="CRASHED"))])
    assert status_of(task) == ("QUEUEING", "RETRY_WAIT", 2, 0, 1)
    record([batch(failed(task, 2))])
    assert status_of(task) == ("QUEUEING", "RETRY_WAIT", 3, 1, 1)
    record([batch(failed(task, 3, reason="CRASHED"))])
    assert status_of(task) == ("QUEUEING", "RETRY_WAIT", 4, 1, 2)
    record([batch(failed(task, 4, reason="CRASHED"))])
    assert status_of(task) == ("FAILED", "CRASHED", 4, 1, 3)


def test_a_task_that_may_not_fail_once_is_tried_again_after_a_crash(alice: User) -> None:
    task = a_task(alice)
    record([batch(failed(task, reason="CRASHED"))])
    assert status_of(task) == ("QUEUEING", "RETRY_WAIT", 2, 0, 1)


def test_pauses_grow_to_an_hour_and_no_two_are_alike() -> None:
    for failures, seconds in ((1, 10), (2, 20), (4, 80), (12, LONGEST_SECONDS), (10_000, LONGEST_SECONDS)):
        pauses = {pause(failures, 10).total_seconds() for _ in range(50)}
        assert len(pauses) > 40
        assert min(pauses) >= seconds * (1 - JITTER)
        assert max(pauses) <= seconds * (1 + JITTER)
    assert pause(1, 7_200) > timedelta(hours=1)
    assert pause(5, 0) == timedelta(0)


def test_a_worker_that_leaves_gives_the_same_attempt_back_and_nobody_is_charged(task: Task) -> None:
    record([batch(started(task))])
    assert record([batch(returned(task))]) == ["APPLIED"]
    assert status_of(task) == ("QUEUEING", "", 1, 0, 0)
    assert (task.worker, task.started_at, task.dispatch_at) == ("", None, None)
    assert numbered(task) == [(1, "QUEUEING", "")]
    record([batch(started(task), worker="w2")])
    assert numbered(task) == [(1, "RUNNING", "")]


def test_only_who_runs_it_can_give_it_back(task: Task) -> None:
    record([batch(started(task))])
    assert record([batch(returned(task), worker="w2")]) == ["DUPLICATE"]
    assert status_of(task)[0] == "RUNNING"


def test_an_undeliverable_one_is_handed_over_again_until_it_has_crashed_too_often(task: Task) -> None:
    for crashes in (1, 2):
        Task.objects.filter(pk=task.pk).update(dispatch_at=None)
        assert record([batch(undeliverable(task), worker="millrace.dead")]) == ["APPLIED"]
        assert status_of(task) == ("QUEUEING", "", 1, 0, crashes)
        assert seconds_until(task) <= 0
    record([batch(undeliverable(task), worker="millrace.dead")])
    assert status_of(task) == ("FAILED", "CRASHED", 1, 0, 3)
    assert "gave up its message" in task.attempts.get().error_message


def test_a_kind_that_a_worker_does_not_know_is_offered_again_for_ten_minutes(task: Task) -> None:
    record([batch(failed(task, reason="UNKNOWN_KIND"))])
    assert status_of(task) == ("QUEUEING", "UNKNOWN_KIND", 1, 0, 0)
    assert 3 < seconds_until(task) < 6
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=9))
    record([batch(failed(task, reason="UNKNOWN_KIND"))])
    assert status_of(task)[0] == "QUEUEING"
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=11))
    record([batch(failed(task, reason="UNKNOWN_KIND"))])
    assert status_of(task) == ("FAILED", "UNKNOWN_KIND", 1, 0, 0)


def test_a_kind_that_another_worker_knows_is_offered_again_until_that_one_takes_it(task: Task) -> None:
    beat = {"host": "h", "pid": 7, "queues": [task.queue], "concurrency": 1, "running": [], "kinds": []}
    record([batch(worker="w2", heartbeat=beat)])
    Worker.objects.update(kinds=[task.kind])
    for minutes, at_least, at_most in ((0, 0, 1), (1, 10, 20), (600, 50, 61)):
        Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=minutes))
        record([batch(failed(task, reason="UNKNOWN_KIND", error_type="NoSandbox"))])
        assert status_of(task) == ("QUEUEING", "UNKNOWN_KIND", 1, 0, 0)
        assert at_least < seconds_until(task) < at_most


@pytest.mark.parametrize("other", [{"kinds": ["another"]}, {"queues": ["elsewhere"]}, {"draining": True}])
def test_code_is_refused_at_once_where_no_worker_has_a_sandbox(task: Task, other: dict[str, Any]) -> None:
    beat = {"host": "h", "pid": 7, "queues": [task.queue], "concurrency": 1, "running": [], "kinds": []}
    record([batch(worker="w2", heartbeat=beat)])
    Worker.objects.update(**{"kinds": [task.kind], **other})
    record([batch(failed(task, reason="UNKNOWN_KIND", error_type="NoSandbox"))])
    assert status_of(task) == ("FAILED", "UNKNOWN_KIND", 1, 0, 0)
    assert task.attempts.get().error_type == "NoSandbox"


def test_a_run_after_one_that_did_not_know_the_kind_has_nothing_of_its_end(task: Task) -> None:
    record([batch(failed(task, reason="UNKNOWN_KIND"))])
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    record([batch(started(task), worker="w2")])
    attempt = task.attempts.get()
    assert (attempt.status, attempt.worker, attempt.reason, attempt.error_type) == ("RUNNING", "w2", "", "")
    assert (attempt.finished_at, attempt.run_seconds) == (None, None)


def test_an_attempt_that_ends_began_when_its_task_did(task: Task) -> None:
    record([batch(failed(task, reason="UNKNOWN_KIND"))])
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    record([batch(finished(task), worker="w2")])
    task.refresh_from_db()
    assert task.attempts.get().started_at == task.started_at


def test_a_task_to_be_offered_again_later_is_not_taken_for_handed_over(task: Task) -> None:
    due = timezone.now()
    record([batch(failed(task, reason="UNKNOWN_KIND"))])
    Task.objects.hand_over([(task.pk, 1)], due)
    assert status_of(task)[:2] == ("QUEUEING", "UNKNOWN_KIND")
    assert 3 < seconds_until(task) < 6
    Task.objects.update(dispatch_at=due + timedelta(seconds=0.001))  # the broker took its time
    Task.objects.hand_over([(task.pk, 1)], due)
    assert status_of(task)[:2] == ("QUEUEING", "UNKNOWN_KIND")
    Task.objects.update(dispatch_at=due)
    Task.objects.hand_over([(task.pk, 1)], due)
    assert Task.objects.get().dispatch_at is None


def test_a_claim_runs_what_waits_and_drops_what_has_ended_or_gone_on(task: Task) -> None:
    assert claim(task.pk, 1) == ("RUN", "")
    assert claim(task.pk, 2) == ("DROP", "")
    assert claim(task.pk + 1, 1) == ("DROP", "")
    record([batch(failed(task))])
    assert claim(task.pk, 1) == ("DROP", "")
    record([batch(finished(task, 2))])
    assert claim(task.pk, 2) == ("DROP", "")


def test_a_claim_of_what_runs_names_the_holder_and_changes_nothing(task: Task) -> None:
    record([batch(started(task))])
    assert claim(task.pk, 1) == ("HELD", "w1")
    assert record([batch(vanished(task, "w2"), worker="w3")]) == ["STALE"]
    assert status_of(task) == ("RUNNING", "", 1, 0, 0)


def test_a_run_that_vanished_with_its_worker_is_charged_and_runs_again(task: Task) -> None:
    record([batch(started(task))])
    assert record([batch(vanished(task, "w1"), worker="w2")]) == ["APPLIED"]
    assert claim(task.pk, 1) == ("RUN", "")
    assert status_of(task) == ("QUEUEING", "", 1, 0, 1)
    assert record([batch(vanished(task, "w1"), worker="w2")]) == ["STALE"]
    assert status_of(task)[4] == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_worker_that_has_said_how_its_run_ended_is_charged_with_nothing(task: Task, at_once: bool) -> None:
    record([batch(started(task))])
    said = [batch(returned(task)), batch(vanished(task, "w1"), worker="w2")]
    verdicts = record(said) if at_once else [verdict for each in said for verdict in record([each])]
    assert verdicts == ["APPLIED", "STALE"]
    assert claim(task.pk, 1) == ("RUN", "")
    assert status_of(task) == ("QUEUEING", "", 1, 0, 0)
    record([batch(started(task)), batch(finished(task))])
    assert record([batch(vanished(task, "w1"), worker="w2")]) == ["DUPLICATE"]
    assert status_of(task)[:2] == ("FINISHED", "")


def test_a_task_whose_runs_vanish_too_often_has_failed(task: Task) -> None:
    for worker in ("w1", "w2", "w3"):
        record([batch(started(task), worker=worker)])
        record([batch(vanished(task, worker), worker="w4")])
    assert claim(task.pk, 1) == ("DROP", "")
    assert status_of(task) == ("FAILED", "CRASHED", 1, 0, 3)
    attempt = task.attempts.get()
    assert (attempt.status, attempt.error_type) == ("FAILED", "Crashed")
    assert attempt.error_message == "the worker w3 vanished while it ran"


def test_the_outcome_of_a_run_that_was_thought_vanished_counts(task: Task) -> None:
    record([batch(started(task))])
    record([batch(vanished(task, "w1"), worker="w2")])
    assert record([batch(finished(task))]) == ["APPLIED"]
    assert status_of(task)[0] == "FINISHED"
