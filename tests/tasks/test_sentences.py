"""What a person reads about a task."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.queues.models import Worker
from apps.queues.pauses import Pause
from apps.tasks import sentences
from apps.tasks.lifecycle import Reason, Status
from apps.tasks.models import Attempt, Task
from apps.tasks.turns import PLACE_CAP, Turn

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


def test_what_is_not_handed_over_says_what_is_in_its_way() -> None:
    away = "The relay cannot use RabbitMQ, so new tasks wait: connection refused."

    def said(**fields: Any) -> str:
        return sentences.status_text(a_task(**fields), now=NOW, live_workers=[a_worker()], obstacle=away)

    assert said(dispatch_at=NOW) == away
    assert said() == "About to start."
    assert said(dispatch_at=NOW, crashes=1) == f"{away} Crashes so far: 1 of 3."


@pytest.mark.parametrize(("by", "said"), [("ana", "Queue paused by ana 10 min ago."), ("", "Queue paused 10 min ago.")])
def test_what_waits_in_a_paused_queue_says_who_has_paused_it(by: str, said: str) -> None:
    pause = Pause(NOW - timedelta(minutes=10), by)
    times: dict[str, Any] = {"now": NOW, "live_workers": [], "obstacle": "The relay is away.", "pause": pause}
    assert sentences.status_text(a_task(dispatch_at=NOW), **times) == said
    later = a_task(reason=Reason.SCHEDULED, run_at=NOW + timedelta(minutes=3))
    assert sentences.status_text(later, **times).startswith("Scheduled for")
    running = a_task(status=Status.RUNNING, worker="gone")
    again = "Worker gone has gone silent: the task starts again once its queue is resumed."
    assert sentences.status_text(running, **times) == again


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
            "Every worker of the queue default is draining or stopping: the task starts when one takes tasks again.",
        ),
        ([a_worker(running=[1])], "Waits in the queue default; the only worker is busy."),
        (
            [a_worker(running=[1]), a_worker("w2", concurrency=2, running=[2, 3])],
            "Waits in the queue default; all 3 slots are busy.",
        ),
        ([a_worker(running=[1]), a_worker("w2")], "About to start."),
    ],
)
def test_a_waiting_task_says_what_it_waits_for(workers: list[Worker], sentence: str) -> None:
    assert text(a_task(), workers) == sentence


@pytest.mark.parametrize(
    ("place", "used", "begun", "starts", "sentence"),
    [
        (1, 1, 3, 60, "About to start."),
        (2, 1, 3, 60, "2nd in the queue default; should start about 12:01 UTC."),
        (
            7,
            2,
            180,
            119,
            "7th in the queue default; both workers are busy (the longest for 3 min); should start about 12:02 UTC.",
        ),
        (1, 2, 3, 30, "1st in the queue default; both workers are busy; should start within a minute."),
        (1_213, 0, None, 4, "1,213th in the queue default; should start within seconds."),
        (22, 2, None, None, "22nd in the queue default; both workers are busy."),
        (
            3,
            2,
            None,
            86_400,
            "3rd in the queue default; both workers are busy; should start about 2026-03-02 12:00 UTC.",
        ),
        (
            PLACE_CAP + 1,
            2,
            3,
            None,
            "More than 10,000 tasks stand before it in the queue default; both workers are busy.",
        ),
    ],
)
def test_a_task_that_waits_for_its_turn_says_when_that_comes(
    place: int, used: int, begun: float | None, starts: float | None, sentence: str
) -> None:
    turn = Turn(
        place=place,
        used=used,
        since=None if begun is None else NOW - timedelta(seconds=begun),
        starts_at=None if starts is None else NOW + timedelta(seconds=starts),
    )
    workers = [a_worker(), a_worker("w2"), a_worker("w3", queues=["gpu"]), a_worker("w4", draining=True)]
    parts = sentences.status_parts(a_task(), now=NOW, live_workers=workers, find_turn=lambda *_: turn)
    assert "".join(map(str, parts)) == sentence


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
        (Reason.UNKNOWN_KIND, ("NoSandbox", "No sandbox. Do x."), "Failed: No sandbox. Do x."),
    ],
)
def test_a_failed_task_says_why(reason: str, error: tuple[str, str], sentence: str) -> None:
    attempt = an_attempt(error_type=error[0], error_message=error[1])
    task = a_task(status=Status.FAILED, reason=reason, worker="w1", last_attempts=[attempt])
    assert text(task) == sentence


@pytest.mark.parametrize(
    ("reason", "fields", "sentence"),
    [
        (Reason.ERROR, {"errors": 3}, "Failed after 3 tries: E: no."),
        (Reason.TIMEOUT, {}, "Failed after 1.24 s: it ran longer than its limit."),
        (Reason.TIMEOUT, {"timeout_seconds": 1.2}, "Failed after 1.24 s: it ran longer than its limit of 1.2 s."),
        (
            Reason.TIMEOUT,
            {"timeout_seconds": 90, "errors": 2},
            "Failed after 2 tries: it ran longer than its limit of 1 min 30 s.",
        ),
        (Reason.CRASHED, {"crashes": 1}, "Failed after 1.24 s: no."),
        (Reason.CRASHED, {"crashes": 3}, "Failed after 3 crashes: no."),
    ],
)
def test_a_task_that_failed_for_good_says_after_what(reason: str, fields: dict[str, Any], sentence: str) -> None:
    attempt = an_attempt(number=3, error_type="E", error_message="no.")
    task = a_task(status=Status.FAILED, reason=reason, attempt=3, last_attempts=[attempt], **fields)
    assert text(task) == sentence


def test_a_cancelled_task_says_what_it_was_at() -> None:
    cancelled = {"status": Status.CANCELLED, "finished_at": NOW}
    assert text(a_task(**cancelled)) == "Cancelled while it waited."
    running = a_task(**cancelled, started_at=NOW - timedelta(seconds=3))
    assert text(running) == "Cancelled after it had run for 3.00 s."


@pytest.mark.parametrize(
    ("reason", "fields", "sentence"),
    [
        (Reason.ERROR, {"errors": 1}, "Waiting for its 2nd of 3 tries at 12:00:05 UTC, in 5 s, after: E: no."),
        (
            Reason.TIMEOUT,
            {"errors": 1, "timeout_seconds": 30},
            "Waiting for its 2nd of 3 tries at 12:00:05 UTC, in 5 s, after: it ran longer than its limit of 30 s.",
        ),
        (
            Reason.CRASHED,
            {"crashes": 1, "max_crashes": 3},
            "Waiting to run again at 12:00:05 UTC, in 5 s, after crash 1 of 3: no.",
        ),
    ],
)
def test_a_task_that_waits_for_a_try_says_what_failed_and_when_it_comes(
    reason: str, fields: dict[str, Any], sentence: str
) -> None:
    at = NOW + timedelta(seconds=5)
    attempt = an_attempt(reason=reason, error_type="E", error_message="no.")
    task = a_task(reason=Reason.RETRY_WAIT, attempt=2, max_attempts=3, run_at=at, last_attempts=[attempt], **fields)
    assert text(task) == sentence
    parts = sentences.status_parts(task, now=NOW, live_workers=[])
    moments = [(part.at, part.form) for part in parts if isinstance(part, sentences.Moment)]
    assert moments == [(at, "second"), (at, "until")]


def test_a_try_of_another_day_has_its_date() -> None:
    task = a_task(reason=Reason.RETRY_WAIT, attempt=2, max_attempts=2, errors=1, run_at=NOW + timedelta(days=1))
    assert text(task) == "Waiting for its 2nd of 2 tries at 2026-03-02 12:00:00 UTC, in 1 d."


def test_a_try_whose_time_has_come_waits_like_any_task() -> None:
    task = a_task(reason=Reason.RETRY_WAIT, attempt=2, run_at=NOW)
    assert text(task, [a_worker()]) == "About to start."


def test_a_kind_that_nobody_knows_yet_is_named() -> None:
    assert text(a_task(reason=Reason.UNKNOWN_KIND), [a_worker()]) == (
        "No worker that took it knows the kind demo.coin yet: it is offered again every few seconds, for ten minutes."
    )
    worker = a_worker()
    worker.kinds = ["demo.coin"]
    assert text(a_task(reason=Reason.UNKNOWN_KIND), [worker]) == (
        "Waiting for a worker that knows the kind demo.coin: not every one of the queue default does."
    )


def test_a_task_whose_runs_have_vanished_says_how_often() -> None:
    assert text(a_task(crashes=2, max_crashes=3), [a_worker()]) == "About to start. Crashes so far: 2 of 3."


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
