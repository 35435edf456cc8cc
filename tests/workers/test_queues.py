"""Workers that serve several queues: none holds what another could run, and every queue has its turn."""

from tests.fixtures.processes import eventually
from tests.workers.fixtures import Start
from tests.workers.rig import OTHERS, TASKS, Rabbit, ready, task

BOTH = ("--queues", "default,others")


def test_a_busy_worker_leaves_another_queues_tasks_to_an_idle_one(rabbit: Rabbit, worker: Start) -> None:
    ready(worker(*BOTH))
    rabbit.put(task(1, "test.sleep", seconds=600))
    eventually(lambda: rabbit.started(1))
    rabbit.put(task(2), queue=OTHERS)
    ready(worker(*BOTH))
    assert rabbit.outcome(2)["status"] == "FINISHED"


def test_long_tasks_that_come_by_two_queues_at_once_are_shared(rabbit: Rabbit, worker: Start) -> None:
    for queue, first in ((TASKS, 1), (OTHERS, 11)):
        rabbit.put(*[task(first + number, "test.sleep", seconds=600) for number in range(2)], queue=queue)
    ready(worker(*BOTH, "--concurrency", "2"))
    eventually(lambda: sum(rabbit.started(number) for number in (1, 2, 11, 12)) == 2)
    eventually(lambda: rabbit.count(TASKS) + rabbit.count(OTHERS) == 2)
    ready(worker(*BOTH, "--concurrency", "2"))
    eventually(lambda: sum(rabbit.started(number) for number in (1, 2, 11, 12)) == 4)


def test_an_idle_worker_keeps_no_more_than_it_has_slots_for(rabbit: Rabbit, worker: Start) -> None:
    ready(worker(*BOTH, "--concurrency", "2"))
    rabbit.put(task(1), task(2), queue=OTHERS)
    rabbit.outcomes(2)
    with rabbit.opened() as channel:
        for number, key in enumerate(["default", "others"] * 3, 3):
            channel.basic_publish("millrace.tasks", key, task(number, "test.sleep", seconds=600).encode())
    eventually(lambda: sum(rabbit.started(number) for number in range(3, 9)) == 2)
    eventually(lambda: rabbit.count(TASKS) + rabbit.count(OTHERS) == 4)


def test_queues_take_turns(rabbit: Rabbit, worker: Start) -> None:
    rabbit.put(*[task(number, "test.sleep", seconds=0.06) for number in range(1, 31)])
    rabbit.put(*[task(number, "test.sleep", seconds=0.06) for number in range(101, 106)], queue=OTHERS)
    worker(*BOTH)
    order = [each["task"] for each in rabbit.outcomes(35)]
    assert max(order.index(number) for number in range(101, 106)) < 15


def test_short_tasks_of_two_queues_are_all_run_once(rabbit: Rabbit, worker: Start) -> None:
    for process in (worker(*BOTH), worker(*BOTH, "--concurrency", "2")):
        ready(process)
    for first in range(1, 1001, 100):
        rabbit.put(*[task(number) for number in range(first, first + 50)])
        rabbit.put(*[task(number) for number in range(first + 50, first + 100)], queue=OTHERS)
    outcomes = rabbit.outcomes(1000, 60)
    assert sorted(each["task"] for each in outcomes) == list(range(1, 1001))
    eventually(lambda: rabbit.count(TASKS) + rabbit.count(OTHERS) == 0)
