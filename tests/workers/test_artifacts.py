"""Artifacts of tasks in a real worker, on a real broker: whole, in bounded memory, and before the outcome."""

import os
import signal
from pathlib import Path

import pytest

from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import Start
from tests.workers.odd_handlers import made_of
from tests.workers.rig import TASKS, Event, Rabbit, Web, ready, task
from workers.artifacts import CHUNK_BYTES, Chunk
from workers.parcels import WINDOW

MB = 1_000_000
SIZES = [0, 1, 61_440, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5]


def peak_bytes(process: Process) -> int:
    status = Path(f"/proc/{process.child.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def test_artifacts_of_every_size_are_whole_in_the_broker_before_the_outcome(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.artifacts", sizes=SIZES))
    assert rabbit.outcome(1)["result"] == '"made"'
    assert rabbit.artifacts(1) == {f"{size}.bin": made_of(size) for size in SIZES}
    chunks = [chunk for chunk, _ in rabbit.chunks()]
    assert {len(body) for chunk, body in rabbit.chunks() if not chunk.is_last} == {CHUNK_BYTES}
    assert len({chunk.run for chunk in chunks}) == 1
    assert {chunk.ordinal for chunk in chunks} == set(range(len(SIZES)))


def test_a_file_is_read_where_the_handler_runs(rabbit: Rabbit, one_slot: Process, tmp_path: Path) -> None:
    (tmp_path / "täble.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "link").symlink_to("täble.csv")
    rabbit.put(
        *[task(n, "test.artifact_of", path=str(tmp_path / name)) for n, name in enumerate(["täble.csv", "link"], 1)]
    )
    rabbit.outcomes(2)
    assert (rabbit.artifacts(1), rabbit.artifacts(2)) == ({"täble.csv": b"a,b\n1,2\n"}, {"link": b"a,b\n1,2\n"})
    types = {chunk.task: chunk.label.content_type for chunk, _ in rabbit.chunks()}
    assert types == {1: "text/csv", 2: "application/octet-stream"}


def test_what_cannot_be_kept_is_an_error_of_the_handler(rabbit: Rabbit, worker: Start, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(2048))
    worker(MILLRACE_ARTIFACT_BYTES="1KiB")
    given = [
        ("missing", "x", "no such file"),
        ("pipe", "x", "a pipe"),
        (".", "x", "a folder"),
        ("large", "x", "at most 1,024 bytes"),
        ("large", "../x", "no path"),
    ]
    rabbit.put(
        *[
            task(n, "test.artifact_of", path=str(tmp_path / what), name=name)
            for n, (what, name, _) in enumerate(given, 1)
        ]
    )
    rabbit.outcomes(len(given))
    for number, (_, _, said) in enumerate(given, 1):
        error = rabbit.outcome(number)["error"]
        assert error["type"] == "ArtifactRefused"
        assert said in error["message"]
    assert rabbit.chunks() == []


def test_a_large_one_passes_through_in_little_memory(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker())
    rabbit.put(task(1, "test.artifacts", sizes=[1]))
    rabbit.outcome(1)
    before = peak_bytes(process)
    rabbit.put(task(2, "test.artifacts", sizes=[30 * MB]))
    assert rabbit.outcome(2)["status"] == "FINISHED"
    assert peak_bytes(process) - before < 20 * MB
    assert rabbit.artifacts(2) == {"30000000.bin": made_of(30 * MB)}


def test_others_go_on_and_are_heard_while_the_broker_takes_no_artifacts(rabbit: Rabbit, two_slots: Process) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete("millrace.artifacts")
    rabbit.put(task(1, "test.artifacts", sizes=[3 * MB]))
    eventually(lambda: rabbit.started(1))
    rabbit.put(*[task(number) for number in range(2, 40)])
    assert {each["task"] for each in rabbit.outcomes(38)} == set(range(2, 40))
    rabbit.declare()
    assert rabbit.outcome(1)["status"] == "FINISHED"
    assert rabbit.artifacts(1) == {"3000000.bin": made_of(3 * MB)}


def test_nothing_begins_where_as_many_wait_as_may_be(rabbit: Rabbit, two_slots: Process, tmp_path: Path) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete("millrace.artifacts")
    rabbit.put(task(1, "test.artifacts", sizes=[5] * WINDOW, after=str(tmp_path / "now")))
    eventually(lambda: rabbit.started(1))
    two_slots.child.send_signal(signal.SIGSTOP)  # so that it reads them and the answer behind them at once
    (tmp_path / "now").touch()
    eventually(lambda: not (tmp_path / "now").exists())
    two_slots.child.send_signal(signal.SIGCONT)
    rabbit.put(*[task(number) for number in range(2, 10)])
    assert {each["task"] for each in rabbit.outcomes(8)} == set(range(2, 10))
    rabbit.declare()
    rabbit.outcome(1)


def test_one_whose_artifacts_wait_is_over_when_it_is_cancelled(rabbit: Rabbit, worker: Start) -> None:
    process = worker("--concurrency", "1")
    with rabbit.opened() as channel:
        channel.queue_delete("millrace.artifacts")
    rabbit.put(task(1, "test.artifacts", sizes=[5]))
    eventually(lambda: "artifacts wait" in process.output)
    rabbit.put(task(2))
    rabbit.cancel((1, 1))
    assert rabbit.outcomes(1)[0]["task"] == 2


def test_one_whose_artifacts_wait_is_told_to_be_here(rabbit: Rabbit, worker: Start) -> None:
    """Else the relay would take it for forgotten."""
    process = worker("--concurrency", "1")
    with rabbit.opened() as channel:
        channel.queue_delete("millrace.artifacts")
    rabbit.put(task(1, "test.artifacts", sizes=[5]))
    eventually(lambda: "artifacts wait" in process.output)
    before = len(rabbit.heartbeats())
    eventually(lambda: len(rabbit.heartbeats()) > before)
    assert rabbit.heartbeats()[-1]["running"] == [1]


def test_one_that_waits_for_the_broker_can_be_cancelled_and_keeps_to_its_time_limit(
    rabbit: Rabbit, two_slots: Process
) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete("millrace.artifacts")
    rabbit.put(task(1, "test.artifacts", sizes=[9 * MB]), task(2, "test.artifacts", sizes=[9 * MB], limit=1.0))
    eventually(lambda: rabbit.started(1) and rabbit.started(2))
    eventually(lambda: "artifacts wait" in two_slots.output)
    rabbit.cancel((1, 1))
    rabbit.put(task(3))
    rabbit.outcome(3)
    eventually(lambda: printed(rabbit, 2) == "interrupted\n")
    rabbit.declare()
    outcome = rabbit.outcome(2)
    assert outcome["reason"] == "TIMEOUT"
    assert "killed" not in outcome["error"]["message"]
    assert {each["task"] for each in rabbit.outcomes(2)} == {2, 3}


def test_a_worker_that_leaves_gives_back_whose_artifacts_still_wait(rabbit: Rabbit, worker: Start) -> None:
    process = worker("--grace", "0.5")
    with rabbit.opened() as channel:
        channel.queue_delete("millrace.artifacts")
    rabbit.put(task(1, "test.artifacts", sizes=[5]))
    eventually(lambda: rabbit.started(1) and "artifacts wait" in process.output)
    assert process.stop() == 0
    assert [each["type"] for each in rabbit.events() if each["task"] == 1] == ["STARTED", "RETURNED"]
    assert rabbit.count(TASKS) == 1


def test_an_attempt_that_fails_keeps_what_it_had_made(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(n, "test.artifacts", sizes=[MB], then=then) for n, then in ((1, "raise"), (2, "kill"))])
    reasons = {each["task"]: each["reason"] for each in rabbit.outcomes(2)}
    assert reasons == {1: "ERROR", 2: "CRASHED"}
    assert rabbit.artifacts(1) == rabbit.artifacts(2) == {"1000000.bin": made_of(MB)}


def test_after_a_kill_of_the_worker_the_next_run_makes_them_anew(rabbit: Rabbit, worker: Start, web: Web) -> None:
    first = worker()
    rabbit.put(task(1, "test.artifacts", sizes=[MB, MB + 1], then="wait"))
    eventually(lambda: len(rabbit.artifacts(1)) == 2)
    first.kill()
    worker()
    eventually(lambda: len({chunk.run for chunk, _ in rabbit.chunks()}) == 2)
    eventually(lambda: len([chunk for chunk, _ in rabbit.chunks() if chunk.is_last]) == 4)
    assert len({chunk.worker for chunk, _ in rabbit.chunks()}) == 2


def test_a_thread_that_a_task_has_left_behind_does_the_next_one_no_harm(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.artifact_after", rounds=300), task(2, "test.artifacts", sizes=[3 * MB]), task(3))
    assert [each["status"] for each in rabbit.outcomes(3)] == ["FINISHED"] * 3
    assert rabbit.artifacts(2)["3000000.bin"] == made_of(3 * MB)


def test_a_process_that_a_handler_forks_is_told_to_leave_it_to_the_handler(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.artifact_elsewhere"))
    assert "the handler's own process" in rabbit.outcome(1)["error"]["message"]


def test_what_is_returned_is_shown_as_in_a_notebook(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.table", html="<table><tr><td>1</td></tr></table>"))
    assert rabbit.outcome(1)["result"] == '"a table"'
    assert rabbit.artifacts(1) == {"result.html": b"<table><tr><td>1</td></tr></table>"}
    (chunk,) = shown(rabbit)
    assert (chunk.label.content_type, chunk.label.shown) == ("text/html", True)


def shown(rabbit: Rabbit) -> list[Chunk]:
    return [chunk for chunk, _ in rabbit.chunks() if chunk.label.shown]


def printed(rabbit: Rabbit, number: int) -> str:
    pieces: list[Event] = [each for each in rabbit.events() if each["type"] == "OUTPUT" and each["task"] == number]
    return "".join(text for piece in pieces for _, text in piece["parts"])


@pytest.mark.parametrize("size", [5_242_880, 5_242_881])
def test_what_is_too_large_to_be_shown_can_be_downloaded(rabbit: Rabbit, one_slot: Process, size: int) -> None:
    rabbit.put(task(1, "test.wide_table", size=size))
    rabbit.outcome(1)
    assert len(rabbit.artifacts(1)["result.html"]) == size
    assert bool(shown(rabbit)) == (size == 5_242_880)
    assert ("it can be downloaded, not shown" in printed(rabbit, 1)) == (size != 5_242_880)
