"""What is cancelled is never run, killed when it runs, and has no outcome.

That it is settled as well, and not handed out for ever, is asked when the shared worker leaves.
"""

import signal
from functools import partial
from pathlib import Path

from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import Start
from tests.workers.rig import TASKS, Rabbit, Web, children_of, is_alive, task, template_of

ROUNDS = 10  # in each of which some are read by a child while others are taken back from it


def outcomes_of(rabbit: Rabbit) -> list[int]:
    return [each["task"] for each in rabbit.events() if each["type"] == "OUTCOME"]


def have_outcomes(rabbit: Rabbit, tasks: set[int]) -> bool:
    return tasks <= set(outcomes_of(rabbit))


def test_a_running_task_is_killed_with_everything_below_it_and_has_no_outcome(
    rabbit: Rabbit, one_slot: Process, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    rabbit.put(task(1, "test.leave", pids=str(pids), end="sleep"))
    eventually(lambda: pids.exists() and len(pids.read_text().splitlines()) == 2)
    below = children_of(template_of(one_slot))
    assert len(below) >= 3
    rabbit.cancel((1, 1))
    eventually(lambda: not any(is_alive(pid) for pid in below))
    rabbit.put(task(2))
    rabbit.outcome(2)
    assert outcomes_of(rabbit) == [2]
    assert "warning" not in one_slot.output


def test_what_waits_here_is_dropped_and_its_neighbours_run(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    rabbit.put(task(2000, "test.sleep", seconds=1), *[task(number) for number in range(2001, 2021)])
    eventually(lambda: rabbit.started(2000))
    rabbit.cancel(*[(number, 1) for number in range(2001, 2021, 2)])
    expected = {2000, *range(2002, 2021, 2)}
    eventually(lambda: expected <= set(outcomes_of(rabbit)[1000:]))
    rabbit.put(task(3000))
    rabbit.outcome(3000)
    assert set(outcomes_of(rabbit)[1000:]) == {*expected, 3000}


def test_every_second_of_many_short_ones_is_cancelled_and_the_others_run(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    for first in range(2000, 2000 + ROUNDS * 1000, 1000):
        rabbit.put(task(first, "test.sleep", seconds=600), *[task(number) for number in range(first + 1, first + 600)])
        left = set(range(first, first + 600)).difference(outcomes_of(rabbit))
        rabbit.cancel(*[(number, 1) for number in left if number % 2 == 0])
        eventually(partial(have_outcomes, rabbit, {number for number in left if number % 2}))
    assert {each["status"] for each in rabbit.events() if each["type"] == "OUTCOME"} == {"FINISHED"}
    assert len(outcomes_of(rabbit)) == len(set(outcomes_of(rabbit)))
    assert "warning" not in two_slots.output


def test_another_attempt_of_a_cancelled_task_is_run(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.sleep", seconds=600))
    eventually(lambda: rabbit.started(1))
    rabbit.cancel((1, 1))
    rabbit.put(task(1, attempt=2))
    assert rabbit.outcome(1)["attempt"] == 2


def test_a_delivery_that_comes_after_its_cancellation_is_not_run(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1))
    rabbit.outcome(1)
    rabbit.cancel((2, 1))
    rabbit.put(task(3, "test.sleep", seconds=0.3))
    rabbit.outcome(3)
    rabbit.put(task(2), task(4))
    rabbit.outcome(4)
    assert 2 not in outcomes_of(rabbit)


def test_what_was_cancelled_before_the_worker_came_is_not_run(rabbit: Rabbit, worker: Start, web: Web) -> None:
    web.cancelled = [(1, 1)]
    rabbit.put(task(1), task(2))
    process = worker()
    rabbit.outcome(2)
    assert process.stop() == 0
    assert outcomes_of(rabbit) == [2]
    assert rabbit.count(TASKS) == 0
    assert web.questions == 1


def test_a_worker_goes_on_when_the_web_does_not_say_what_is_cancelled(rabbit: Rabbit, worker: Start, web: Web) -> None:
    web.cancelled = None
    rabbit.put(task(1, "test.sleep", seconds=600))
    process = worker()
    eventually(lambda: rabbit.started(1))
    web.cancelled = [(1, 1)]  # it is still asked
    rabbit.put(task(2))
    rabbit.outcome(2)
    assert outcomes_of(rabbit) == [2]
    assert process.output.count("cannot ask what is cancelled or paused") == 1


def test_a_cancellation_that_cannot_be_read_harms_nobody(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1))
    rabbit.outcome(1)
    with rabbit.opened() as channel:
        channel.basic_publish("millrace.ctl", "", b"rubbish")
    eventually(lambda: "is ignored: not JSON" in one_slot.output)
    rabbit.put(task(2))
    rabbit.outcome(2)


def test_a_task_that_is_being_timed_out_can_be_cancelled(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.stubborn", limit=0.2, how="blocked"))
    eventually(lambda: rabbit.started(1))
    [child] = children_of(template_of(one_slot))
    eventually(lambda: signal.SIGTERM in pending_signals(child))
    rabbit.cancel((1, 1))
    rabbit.put(task(2))
    rabbit.outcome(2)
    assert outcomes_of(rabbit) == [2]


def pending_signals(pid: int) -> set[int]:
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return {number for number in range(1, 65) for mask in masks if mask >> (number - 1) & 1}
