"""What tasks print and say while they run, through a real worker and RabbitMQ, told apart by task and by stream."""

from pathlib import Path

from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import Start
from tests.workers.rig import Event, Rabbit, ready, task
from workers.messages import HEAD_BYTES, TAIL_BYTES


def pieces(rabbit: Rabbit, number: int) -> list[Event]:
    return [each for each in rabbit.events() if each["type"] == "OUTPUT" and each["task"] == number]


def printed(rabbit: Rabbit, number: int, stream: str = "stdout") -> str:
    return "".join(text for each in pieces(rabbit, number) for name, text in each["parts"] if name == stream)


WAYS = [
    ("stdout", "hello", "hello\n"),
    ("unflushed", "no end of line", "no end of line"),
    ("descriptor", "caf\xe9", "caf\N{REPLACEMENT CHARACTER}"),
    ("C", "from native code", "from native code\n"),
    ("process", "from a process", "from a process\n"),
    ("left behind", "from one that it left", "from one that it left"),
    ("stdout", "half a pair: \ud83d", "half a pair: \\ud83d\n"),
]


def test_whatever_prints_is_heard(rabbit: Rabbit, one_slot: Process) -> None:
    for number, (how, text, _) in enumerate(WAYS, 1):
        rabbit.put(task(number, "test.print", text=text, how=how))
    rabbit.put(task(99, "test.print", text="err", how="stderr"))
    assert [each["status"] for each in rabbit.outcomes(len(WAYS) + 1)] == ["FINISHED"] * (len(WAYS) + 1)
    assert [printed(rabbit, number) for number in range(1, len(WAYS) + 1)] == [shown for _, _, shown in WAYS]
    assert (printed(rabbit, 99), printed(rabbit, 99, "stderr")) == ("", "err\n")


def test_it_is_heard_while_the_task_runs(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.print", text="still at it", then="wait"))
    eventually(lambda: printed(rabbit, 1) == "still at it\n")
    assert not [each for each in rabbit.events() if each["type"] == "OUTCOME"]


def test_what_a_task_has_printed_before_its_process_died_is_kept(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.print", text="last words", how="both", then="kill"))
    assert rabbit.outcome(1)["reason"] == "CRASHED"
    assert (printed(rabbit, 1), printed(rabbit, 1, "stderr")) == ("last words\n", "last words\n")


def test_outputs_of_many_short_tasks_are_not_mixed_up(rabbit: Rabbit, two_slots: Process) -> None:
    numbers = range(1, 401)
    rabbit.put(*[task(n, "test.print", text=f"I am {n}", how="both" if n % 3 else "unflushed") for n in numbers])
    rabbit.outcomes(len(numbers))
    ends = {n: "\n" if n % 3 else "" for n in numbers}
    assert {n: printed(rabbit, n) for n in numbers} == {n: f"I am {n}{ends[n]}" for n in numbers}


def test_of_a_task_that_prints_without_end_head_and_tail_are_kept_and_the_worker_lives(
    rabbit: Rabbit, worker: Start
) -> None:
    process = ready(worker())
    before = memory_of(process)
    rabbit.put(task(1, "test.print", text="x" * 9_999, count=20_000), task(2))
    assert [each["status"] for each in rabbit.outcomes(2)] == ["FINISHED"] * 2
    told = pieces(rabbit, 1)
    size = 20_000 * 10_000
    assert told[0]["position"] == 0
    assert told[-1]["position"] + told[-1]["size"] == size
    assert sum(each["size"] for each in told if each["position"] < HEAD_BYTES) == HEAD_BYTES
    assert sum(each["size"] for each in told if each["position"] >= size - TAIL_BYTES) == TAIL_BYTES
    assert memory_of(process) < before + 20_000_000


def test_a_task_that_spoils_its_streams_does_so_for_itself_alone(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(n, "test.print", text=str(n), how="both", then=how) for n, how in SPOILT])
    rabbit.outcomes(len(SPOILT))
    assert [printed(rabbit, n) + printed(rabbit, n, "stderr") for n, _ in SPOILT] == [f"{n}\n{n}\n" for n, _ in SPOILT]


SPOILT = [(1, "close"), (2, "replace"), (3, "close"), (4, "")]


def test_progress_is_heard_now_and_then_and_the_last_of_it_for_sure(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.progress", count=20_000, seconds=600))

    def said() -> list[Event]:
        return [each for each in rabbit.events() if each["type"] == "PROGRESS"]

    eventually(lambda: said() and said()[-1]["fraction"] == 1)
    assert said()[-1]["text"] == "done"
    assert len(said()) < 200


def test_what_a_task_has_used_is_told_with_its_outcome(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.use", megabytes=100, cpu_seconds=0.3), task(2, "test.sleep", seconds=0.1))
    first, second = rabbit.outcomes(2)
    assert 0.25 < first["cpu_seconds"] < 10
    assert first["peak_bytes"] > 100_000_000
    assert second["cpu_seconds"] < 0.1
    assert second["peak_bytes"] < first["peak_bytes"] - 80_000_000


def test_a_limit_that_is_met_is_an_error_that_names_it(rabbit: Rabbit, worker: Start) -> None:
    worker(MILLRACE_TASK_MEMORY="512M", MILLRACE_TASK_FILE_SIZE="2M", MILLRACE_TASK_OPEN_FILES="64")
    rabbit.put(*[task(n, "test.take", what=what) for n, what in enumerate(("memory", "file", "files", ""), 1)])
    *failed, fine = rabbit.outcomes(4)
    assert [(each["status"], each["reason"]) for each in failed] == [("FAILED", "ERROR")] * 3
    hints = ("memory is 512M here, by MILLRACE_TASK_MEMORY", "a file's size is 2M here", "open files is 64 here")
    for each, hint in zip(failed, hints, strict=True):
        assert f"the limit of {hint}" in each["error"]["message"]
    assert fine["status"] == "FINISHED"


def memory_of(process: Process) -> int:
    return int(Path(f"/proc/{process.child.pid}/statm").read_text().split()[1]) * 4096
