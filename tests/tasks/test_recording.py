import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from apps.queues.models import Pulse, Queue, Worker
from apps.tasks.clock import database_now, ticks
from apps.tasks.drafts import Draft
from apps.tasks.lifecycle import Status
from apps.tasks.models import Attempt, Kind, Task
from apps.tasks.recording import record
from apps.tasks.services import create, create_many
from tests.fixtures.statements import Statements
from tests.tasks.events import batch, failed, finished, returned, started, undeliverable
from workers.messages import BadMessage

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(alice: User, kinds: dict[str, Kind]) -> Task:
    return create(user=alice, draft=Draft(name="first", kind="demo.noop", params={"x": 1}))


def test_a_task_starts_and_finishes(task: Task) -> None:
    assert record([batch(started(task))]) == ["APPLIED"]
    task.refresh_from_db()
    assert (task.status, task.worker, task.dispatch_at) == ("RUNNING", "w1", None)

    assert record([batch(finished(task, result='{"a": 1}'))]) == ["APPLIED"]
    task.refresh_from_db()
    attempt = task.attempts.get()
    assert (task.status, task.value, task.value_text, task.result) == ("FINISHED", 0.25, "0.25", '{"a": 1}')
    assert task.started_at
    assert task.finished_at
    assert task.started_at <= task.finished_at
    assert (attempt.number, attempt.status, attempt.run_seconds, attempt.worker) == (1, "FINISHED", 0.5, "w1")


def test_an_outcome_alone_tells_the_start_as_well(task: Task) -> None:
    record([batch(finished(task))])
    task.refresh_from_db()
    assert task.started_at
    assert task.finished_at
    assert (task.finished_at - task.started_at).total_seconds() == pytest.approx(0.5)


def test_a_start_and_its_outcome_in_one_batch_are_both_applied(task: Task) -> None:
    assert record([batch(started(task), finished(task))]) == ["APPLIED", "APPLIED"]
    task.refresh_from_db()
    assert task.status == "FINISHED"


def test_a_failure_keeps_type_message_and_traceback(task: Task) -> None:
    assert record([batch(failed(task))]) == ["APPLIED"]
    task.refresh_from_db()
    attempt = task.attempts.get()
    assert (task.status, task.reason, task.value) == ("FAILED", "ERROR", None)
    assert (attempt.error_type, attempt.error_message, attempt.traceback) == ("ValueError", "no", "Traceback ...")


def test_an_outcome_seen_twice_counts_once(task: Task) -> None:
    record([batch(finished(task))])
    assert record([batch(failed(task)), batch(finished(task), started(task))]) == ["DUPLICATE"] * 3
    task.refresh_from_db()
    assert task.status == "FINISHED"
    assert task.attempts.get().status == "FINISHED"


def test_the_same_outcome_twice_in_one_batch_counts_once(task: Task) -> None:
    assert record([batch(finished(task), failed(task))]) == ["APPLIED", "DUPLICATE"]
    task.refresh_from_db()
    assert task.status == "FINISHED"


def test_an_older_attempt_is_stale(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(attempt=2)
    assert record([batch(finished(task, attempt=1), started(task, attempt=3))]) == ["STALE", "STALE"]
    task.refresh_from_db()
    assert task.status == "QUEUEING"


def test_a_late_outcome_does_not_change_a_cancelled_task(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(status=Status.CANCELLED)
    assert record([batch(started(task), finished(task))]) == ["CANCELLED", "CANCELLED"]


def test_a_redelivery_to_another_worker_starts_again(task: Task) -> None:
    record([batch(started(task))])
    assert record([batch(started(task))]) == ["DUPLICATE"]
    assert record([batch(started(task), worker="w2")]) == ["APPLIED"]
    task.refresh_from_db()
    assert (task.status, task.worker, task.attempts.get().worker) == ("RUNNING", "w2", "w2")


def test_each_malformed_event_is_invalid_and_the_rest_is_recorded(task: Task) -> None:
    bad: list[Any] = [
        None,
        [],
        {},
        {"type": "OUTCOME"},
        {**finished(task), "task": 0},
        {**finished(task), "task": "1"},
        {**finished(task), "attempt": -1},
        {**finished(task), "attempt": True},
        {**finished(task), "status": "BANANA"},
        {**finished(task), "value": "heads"},
        {**finished(task), "run_seconds": float("nan")},
        {**finished(task), "run_seconds": -1},
        {**finished(task), "result": "\0"},
        {**failed(task), "error": "no"},
        {**failed(task), "error": {"type": "E", "message": "\ud800"}},
        {**finished(task), "task": 2**70},
    ]
    verdicts = record([batch(*bad, finished(task))])
    assert verdicts == ["INVALID"] * len(bad) + ["APPLIED"]


def test_an_unknown_task_is_told_as_such(task: Task) -> None:
    task.pk += 1000
    assert record([batch(finished(task), finished(task, attempt=2**40))]) == ["UNKNOWN_TASK", "UNKNOWN_TASK"]


@pytest.mark.parametrize("seconds", [9e10, 1e9, 1e300])
def test_a_run_that_began_before_anybody_was_born_is_invalid(task: Task, seconds: float) -> None:
    later: dict[str, Any] = {"finished_at": "2999-01-01T00:00:00Z", "started_at": "1970-01-01T00:00:00Z"}
    verdicts = record([batch(finished(task, run_seconds=seconds), finished(task, run_seconds=5, **later))])
    assert verdicts == ["INVALID", "APPLIED"]
    task.refresh_from_db()
    assert task.finished_at
    assert task.started_at
    assert abs(task.finished_at - database_now()) < timedelta(minutes=1)
    assert task.finished_at - task.started_at == timedelta(seconds=5)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"v": 2}, {"v": 1, "worker": "", "events": []}, {"v": 1, "worker": "w"}]
)
def test_what_is_no_batch_at_all_is_refused(data: Any, db: None) -> None:
    with pytest.raises(BadMessage):
        record([data])


@pytest.mark.parametrize(
    ("text", "value"), [("nan", None), ("inf", float("inf")), ("-inf", float("-inf")), ("1e+300", 1e300), ("7", 7.0)]
)
def test_nan_and_infinity_are_kept(task: Task, text: str, value: float | None) -> None:
    record([batch(finished(task, value=text))])
    task.refresh_from_db()
    assert (task.value, task.value_text) == (value, text)


EVENTS = {
    "start": started, "finish": finished, "fail": failed, "return": returned, "give up": undeliverable,
}  # fmt: skip
AFTER = {"start": "RUNNING", "finish": "FINISHED", "fail": "FAILED", "return": "QUEUEING", "give up": "QUEUEING"}
ALLOWED = {
    **{(status, name): "APPLIED" for status in ("QUEUEING", "RUNNING") for name in EVENTS},
    ("QUEUEING", "return"): "DUPLICATE",
    **{(status, name): "DUPLICATE" for status in ("FINISHED", "FAILED") for name in EVENTS},
    **{("CANCELLED", name): "CANCELLED" for name in EVENTS},
}


@pytest.mark.parametrize(("status", "event"), list(itertools.product(Status.values, EVENTS)))
def test_every_step_from_every_status(task: Task, status: str, event: str) -> None:
    Task.objects.filter(pk=task.pk).update(status=status, worker="another")
    verdict = record([batch(EVENTS[event](task), worker="another" if event == "return" else "w1")])
    task.refresh_from_db()
    assert verdict == [ALLOWED[status, event]]
    assert task.status == (AFTER[event] if verdict == ["APPLIED"] else status)


def test_a_change_moves_the_tick_and_a_duplicate_does_not(task: Task) -> None:
    before = ticks()
    record([batch(finished(task))])
    assert ticks() == before + 1
    record([batch(finished(task))])
    assert ticks() == before + 1


def test_a_large_batch_costs_as_many_statements_as_a_small_one(
    alice: User, kinds: dict[str, Kind], statements: Statements
) -> None:
    drafts = [Draft(name=str(n), kind="demo.noop") for n in range(300)]
    tasks = create_many(user=alice, drafts=drafts)
    with statements() as few:
        record([batch(*[finished(task) for task in tasks[:10]])])
    with statements() as many:
        record([batch(*[finished(task) for task in tasks[10:250]])])
    rows_by_key = "UPDATE tasks_task"
    small, large = ([q["sql"] for q in each if rows_by_key not in q["sql"]] for each in (few, many))
    assert len(large) <= len(small) + 3
    assert Attempt.objects.count() == 250


HEARTBEAT = {"host": "h", "pid": 7, "queues": ["default", "gpu"], "concurrency": 2, "running": []}


def test_the_sink_shows_its_sign_of_life(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.queues.health._last_beats", {})
    assert record([]) == []
    assert Pulse.objects.filter(name="sink").exists()


def test_a_heartbeat_makes_the_worker_its_queues_and_kinds_known(db: None) -> None:
    kind = {"name": "report", "doc": "A report.", "schema": {"type": "object"}, "queue": "gpu"}
    record([batch(heartbeat={**HEARTBEAT, "kinds": [kind], "environment": {"python": "3.11"}})])
    worker = Worker.objects.alive().get()
    assert worker.environment
    assert (worker.name, worker.concurrency, worker.environment.data) == ("w1", 2, {"python": "3.11"})
    assert set(Queue.objects.values_list("name", flat=True)) == {"default", "gpu"}
    assert Kind.objects.get().queue == "gpu"


def test_a_light_heartbeat_keeps_what_the_first_one_told(db: None) -> None:
    record([batch(heartbeat={**HEARTBEAT, "kinds": [], "environment": {"python": "3.11"}})])
    record([batch(heartbeat={**HEARTBEAT, "running": [5], "draining": True})])
    worker = Worker.objects.get()
    assert worker.environment
    assert (worker.running, worker.draining, worker.environment.data) == ([5], True, {"python": "3.11"})


def test_a_worker_that_leaves_is_no_longer_alive(db: None) -> None:
    record([batch(heartbeat=HEARTBEAT)])
    before = ticks()
    record([batch(heartbeat={**HEARTBEAT, "leaving": True})])
    assert not Worker.objects.alive().exists()
    assert ticks() == before + 1  # its running tasks are shown as waiting


def test_a_malformed_heartbeat_does_not_hold_up_the_events(task: Task) -> None:
    assert record([batch(finished(task), heartbeat={"host": 1})]) == ["APPLIED"]
    assert not Worker.objects.exists()


def nested(levels: int) -> dict[str, Any]:
    """A schema in a schema in a schema ..."""
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "forged",
    [
        {"rss_bytes": 10**40},
        {"pid": 10**30},
        {"queues": ["\ud800"], "kinds": []},
        {"queues": ["q" * 500] * 3000, "kinds": []},
        {"kinds": [{"name": "\ud800", "schema": {}}]},
        {"kinds": [{"name": "banana", "schema": {"type": "banana", "required": 7}}]},
        {"kinds": [{"name": "banana", "schema": {"properties": [1, 2]}}]},
        {"concurrency": 2**40},
        {"environment": nested(930)},
        {"kinds": [{"name": "banana", "schema": nested(150)}]},
        {"queues": ["😀" * 100, "a b", "a/b", "", "ä"], "kinds": []},
    ],
)
def test_a_forged_heartbeat_holds_up_nothing(task: Task, forged: dict[str, Any]) -> None:
    assert record([batch(finished(task), heartbeat={**HEARTBEAT, **forged})]) == ["APPLIED"]
    assert not Kind.objects.filter(name="banana").exists()
    assert set(Queue.objects.values_list("name", flat=True)) <= {"default", "gpu"}
