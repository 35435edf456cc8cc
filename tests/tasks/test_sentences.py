"""What a person reads about a task."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.queues.models import Worker
from apps.tasks import sentences
from apps.tasks.lifecycle import Reason, Status
from apps.tasks.models import Attempt, Task

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def a_task(**fields: Any) -> Task:
    attempts: list[Attempt] = fields.pop("last_attempts", [])
    task = Task(id=7, name="a task", kind="demo.coin", **{"status": Status.QUEUEING, **fields})
    vars(task)["last_attempts"] = attempts
    return task


def a_worker(
    name: str = "w1",
    *,
    queues: Sequence[str] = ("default",),
    concurrency: int = 1,
    running: Sequence[int] = (),
    draining: bool = False,
) -> Worker:
    return Worker(name=name, queues=list(queues), concurrency=concurrency, running=list(running), draining=draining)


def an_attempt(**fields: Any) -> Attempt:
    return Attempt(**{"number": 1, "worker": "w1", "started_at": NOW, "run_seconds": 1.236, **fields})


def text(task: Task, workers: Sequence[Worker] = ()) -> str:
    return sentences.status_text(task, now=NOW, live_workers=list(workers))


def test_a_scheduled_task_says_when_it_starts() -> None:
    task = a_task(reason=Reason.SCHEDULED, run_at=NOW + timedelta(minutes=3, seconds=5))
    assert text(task) == "Scheduled for 2026-03-01 12:03:05 UTC, in 3 min 5 s."


@pytest.mark.parametrize(
    ("workers", "sentence"),
    [
        ([], "No worker is connected: the task starts when one is."),
        ([a_worker(queues=["gpu"])], "No worker serves the queue default: the task starts when one does."),
        (
            [a_worker(draining=True)],
            "Every worker of the queue default is stopping: the task starts when another one comes.",
        ),
        ([a_worker(running=[1])], "Waiting: the only slot of the queue default is busy."),
        (
            [a_worker(running=[1]), a_worker("w2", concurrency=2, running=[2, 3])],
            "Waiting: all 3 slots of the queue default are busy.",
        ),
        ([a_worker(running=[1]), a_worker("w2")], "About to start."),
    ],
)
def test_a_waiting_task_says_what_it_waits_for(workers: list[Worker], sentence: str) -> None:
    assert text(a_task(), workers) == sentence


def test_a_running_task_says_where_and_how_long() -> None:
    task = a_task(status=Status.RUNNING, worker="w1", started_at=NOW - timedelta(seconds=12))
    assert text(task, [a_worker()]) == "Running on w1 for 12 s."


def test_a_page_gets_the_times_of_a_sentence_to_show_them_itself() -> None:
    began = NOW - timedelta(seconds=0.5)
    running = a_task(status=Status.RUNNING, worker="w1", started_at=began)
    parts = sentences.status_parts(running, now=NOW, live_workers=[a_worker()])
    assert parts == ["Running on w1 for ", sentences.Moment(began, "since", "1 s"), "."]
    at = NOW + timedelta(minutes=3)
    scheduled = sentences.status_parts(a_task(run_at=at), now=NOW, live_workers=[])
    assert [(part.at, part.form) for part in scheduled if isinstance(part, sentences.Moment)] == [
        (at, "exact"),
        (at, "until"),
    ]


def test_a_task_of_a_silent_worker_says_what_happens_next() -> None:
    task = a_task(status=Status.RUNNING, worker="w1", started_at=NOW)
    assert text(task, [a_worker("w2")]) == "Worker w1 has gone silent: another one starts the task again."
    assert text(task) == ("Worker w1 has gone silent: the task starts again when another one serves the queue default.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"value_text": "0.25"}, "Finished in 1.24 s: it returned 0.25."),
        ({"value_text": "nan"}, "Finished in 1.24 s: it returned NaN."),
        ({"result": '{"a": 1}'}, "Finished in 1.24 s."),
        ({}, "Finished in 1.24 s: it returned nothing."),
    ],
)
def test_a_finished_task_says_what_it_returned(fields: dict[str, Any], sentence: str) -> None:
    assert text(a_task(status=Status.FINISHED, last_attempts=[an_attempt()], **fields)) == sentence


@pytest.mark.parametrize(
    ("reason", "error", "sentence"),
    [
        (Reason.ERROR, ("ValueError", "bad\n luck."), "Failed after 1.24 s: ValueError: bad luck."),
        (Reason.ERROR, ("KeyError", ""), "Failed after 1.24 s: KeyError."),
        (Reason.ERROR, ("E", "x" * 300), f"Failed after 1.24 s: E: {'x' * 197}..."),
        (Reason.CRASHED, ("", ""), "Failed after 1.24 s: its process died."),
        (Reason.RESULT_TOO_LARGE, ("", ""), "Failed after 1.24 s: what it returned is too large."),
        (Reason.UNKNOWN_KIND, ("", ""), "Failed: worker w1 does not know the kind demo.coin."),
    ],
)
def test_a_failed_task_says_why(reason: str, error: tuple[str, str], sentence: str) -> None:
    attempt = an_attempt(error_type=error[0], error_message=error[1])
    task = a_task(status=Status.FAILED, reason=reason, worker="w1", last_attempts=[attempt])
    assert text(task) == sentence


def test_a_cancelled_task_says_so() -> None:
    assert text(a_task(status=Status.CANCELLED)) == "Cancelled."


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"),
        (0.0008, "0.8 ms"),
        (0.05, "50 ms"),
        (0.0999, "0.10 s"),
        (1.236, "1.24 s"),
        (9.999, "10 s"),
        (59.7, "1 min"),
        (185, "3 min 5 s"),
        (7_800, "2 h 10 min"),
        (86_400 * 4 + 3_600 * 3, "4 d 3 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, shown: str) -> None:
    assert sentences.duration(seconds) == shown
