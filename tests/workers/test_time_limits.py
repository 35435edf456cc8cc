"""A task that runs longer than it may: it is told so, then killed with everything below it; nobody else pays."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import Start
from tests.workers.rig import TASKS, Rabbit, children_of, is_alive, ready, task, template_of
from tests.workers.test_slots import state_of, taken, until, with_slots
from workers.slots import Slots
from workers.timelimit import STOP_SECONDS, Limit, TimeLimit


def child_of(pid: int) -> int:
    eventually(lambda: len(children_of(pid)) == 2)  # the template and its child
    return children_of(pid)[-1]


def test_a_task_is_told_where_it_was_when_its_time_was_over(rabbit: Rabbit, one_slot: Process) -> None:
    child = child_of(one_slot.child.pid)
    rabbit.put(task(1, "test.sleep", limit=0.3, seconds=600))
    outcome = rabbit.outcome(1)
    assert (outcome["status"], outcome["reason"]) == ("FAILED", "TIMEOUT")
    assert outcome["error"]["type"] == "TimeLimit"
    assert outcome["error"]["message"] == "it ran longer than its limit of 0.3 s"
    assert "time.sleep(seconds)" in outcome["error"]["traceback"]
    assert "executor.py" not in outcome["error"]["traceback"]
    rabbit.put(task(2, "test.process"))
    assert json.loads(rabbit.outcome(2)["result"])["pid"] == child


def test_a_task_within_its_limit_is_left_alone(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(number, limit=60) for number in range(1, 501)])
    rabbit.put(task(501, "test.sleep", limit=60, seconds=0.5))
    assert {each["status"] for each in rabbit.outcomes(501, 30)} == {"FINISHED"}


@pytest.mark.parametrize("how", ["cleans up", "trips"])
def test_a_task_that_ends_in_its_own_way_when_told_has_timed_out(
    rabbit: Rabbit, one_slot: Process, tmp_path: Path, how: str
) -> None:
    ledger = tmp_path / "ledger"
    rabbit.put(task(1, "test.stubborn", limit=0.3, how=how, ledger=str(ledger)))
    outcome = rabbit.outcome(1)
    assert (outcome["reason"], outcome["error"]["type"]) == ("TIMEOUT", "TimeLimit")
    if how == "trips":
        assert "ValueError: on the way out" in outcome["error"]["traceback"]
    else:
        assert ledger.read_text() == "cleaned up"


def test_a_task_that_does_not_end_is_killed_with_everything_below_it(
    rabbit: Rabbit, worker: Start, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    process = ready(worker("--concurrency", "4"))
    before = children_of(process.child.pid)
    for number, how in enumerate(("swallows", "in C", "blocked", "leaves"), 1):
        rabbit.put(task(number, "test.stubborn", limit=0.5, how=how, ledger=str(pids)))
    outcomes = rabbit.outcomes(4, 30)
    assert [each["reason"] for each in outcomes] == ["TIMEOUT"] * 4
    assert {each["error"]["message"] for each in outcomes} == {
        "it ran longer than its limit of 0.5 s and was killed 5 s later"
    }
    assert all(each["run_seconds"] > STOP_SECONDS for each in outcomes)
    below = [int(line) for line in pids.read_text().splitlines()]
    assert len(below) == 2
    eventually(lambda: not any(is_alive(pid) for pid in [*below, *before[1:]]))
    rabbit.put(task(5))
    assert rabbit.outcome(5)["status"] == "FINISHED"
    assert "new process" not in process.output
    eventually(lambda: rabbit.count(TASKS) == 0)


def test_what_was_handed_over_in_advance_is_not_hit(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    rabbit.put(
        *[task(number, limit=60) for number in range(1001, 1100)],
        task(1100, "test.stubborn", limit=0.2, how="swallows"),
        task(1101, "test.sleep", limit=0.2, seconds=600),
        *[task(number, limit=60) for number in range(1102, 1200)],
    )
    outcomes = rabbit.outcomes(1199, 30)
    assert len(outcomes) == 1199
    assert {each["task"]: each["reason"] for each in outcomes if each["status"] == "FAILED"} == {
        1100: "TIMEOUT",
        1101: "TIMEOUT",
    }


def test_a_task_whose_time_was_over_before_its_child_read_it_is_run_again(rabbit: Rabbit) -> None:
    async def work(slots: Slots) -> None:
        [child] = children_of(slots.template._process.pid)
        os.kill(child, signal.SIGSTOP)
        await until(lambda: state_of(child) == "T")
        late = taken(1)
        late.timeout_seconds = 0.3
        slots.add(late)
        begun_at = late.begun_at
        await until(lambda: late.begun_at > begun_at)
        os.kill(child, signal.SIGCONT)
        await until(lambda: [each for each in rabbit.events() if each["type"] == "OUTCOME"])

    with_slots(rabbit, 1, work)
    assert rabbit.outcome(1)["status"] == "FINISHED"


def test_a_stranger_may_send_sigterm_to_a_child_and_to_the_template(rabbit: Rabbit, one_slot: Process) -> None:
    child = child_of(one_slot.child.pid)
    rabbit.put(task(1, "test.sleep", seconds=1), task(2, "test.sleep", seconds=0.3, limit=60))
    for number in (1, 2):
        eventually(lambda number=number: rabbit.started(number))  # type: ignore[misc]
        for pid in (child, template_of(one_slot)):
            os.kill(pid, signal.SIGTERM)
    assert {each["status"] for each in rabbit.outcomes(2)} == {"FINISHED"}
    assert child_of(one_slot.child.pid) == child


def test_a_process_that_a_task_forks_can_be_terminated(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.terminate"))
    assert rabbit.outcome(1)["value"] == str(-signal.SIGTERM)


def test_a_limit_holds_though_an_earlier_task_has_shut_the_signal_out(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.take_over"), task(2, "test.sleep", limit=0.3, seconds=600))
    assert rabbit.outcome(2)["error"]["traceback"]


def test_an_alarm_that_a_task_has_left_set_does_not_hit_the_next_one(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.alarm"), task(2, "test.sleep", seconds=1))
    assert {each["status"] for each in rabbit.outcomes(2)} == {"FINISHED"}


def test_a_signal_after_the_task_has_ended_hits_nothing() -> None:
    limit = Limit()
    limit.arm(0.0)
    with pytest.raises(TimeLimit):
        limit._on_signal(signal.SIGTERM, None)
    limit._on_signal(signal.SIGTERM, None)  # once is enough
    limit.arm(0.0)
    limit.disarm()
    limit._on_signal(signal.SIGTERM, None)
    assert not limit.reached
