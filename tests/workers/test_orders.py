"""What is paused or drained begins nothing, whatever the broker holds of it; what runs runs on."""

from tests.fixtures.processes import eventually
from tests.workers.fixtures import Start
from tests.workers.rig import OTHERS, TASKS, Rabbit, Web, ready, task
from workers.messages import Orders, decode_control

BOTH = ("--queues", "default,others")


def test_of_a_paused_queue_nothing_begins_while_the_other_one_goes_on(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker(*BOTH, "--concurrency", "2"))
    rabbit.put(task(1, "test.sleep", seconds=1.5))
    eventually(lambda: rabbit.started(1))
    rabbit.put(*[task(number, "test.sleep", seconds=0.05) for number in range(2, 40)])
    rabbit.order(paused=["default"])
    eventually(lambda: rabbit.consumers(TASKS) == 0)
    rabbit.put(task(101), task(102), queue=OTHERS)
    assert rabbit.outcome(102)["status"] == "FINISHED"
    begun = {each["task"] for each in rabbit.outcomes(1)}
    assert rabbit.outcome(1)["status"] == "FINISHED"  # it ran already
    eventually(lambda: rabbit.count(TASKS) >= 39 - len(begun))
    rabbit.order()
    assert {each["task"] for each in rabbit.outcomes(41)} == {*range(1, 40), 101, 102}
    assert process.stop() == 0


def test_very_short_tasks_that_were_taken_in_advance_go_back(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker())
    rabbit.put(*[task(number) for number in range(1, 3001)])
    rabbit.outcomes(500)
    rabbit.order(paused=["default"])
    eventually(lambda: rabbit.consumers(TASKS) == 0)
    assert process.stop() == 0
    assert len(rabbit.outcomes(500)) + rabbit.count(TASKS) == 3000
    assert rabbit.count(TASKS) > 0


def test_a_worker_that_comes_or_comes_back_asks_what_is_paused(rabbit: Rabbit, worker: Start, web: Web) -> None:
    web.paused = ["default"]
    rabbit.put(task(1))
    ready(worker(*BOTH))
    rabbit.put(task(2), queue=OTHERS)
    rabbit.outcome(2)
    assert rabbit.count(TASKS) == 1
    web.paused = ["others"]
    rabbit.wait_for_names()
    rabbit.broker.kill()
    rabbit.broker.start()
    rabbit.put(task(3), queue=OTHERS)
    rabbit.outcome(1)
    assert rabbit.count(OTHERS) == 1


def drains(rabbit: Rabbit) -> bool:
    return bool(rabbit.heartbeats()[-1]["draining"])


def test_a_draining_worker_finishes_takes_nothing_and_resumes(rabbit: Rabbit, worker: Start) -> None:
    ready(worker())
    rabbit.put(task(1, "test.sleep", seconds=1))
    eventually(lambda: rabbit.started(1))
    [name] = {batch["worker"] for batch in rabbit.batches}
    rabbit.order(draining=["another", name])
    eventually(lambda: drains(rabbit))  # said at once, not with the next heartbeat
    rabbit.put(task(2))
    assert rabbit.outcome(1)["status"] == "FINISHED"
    other = ready(worker())
    rabbit.outcome(2)
    assert other.stop() == 0
    rabbit.put(task(3))
    rabbit.order()
    assert rabbit.outcome(3)["worker"] == name
    assert not drains(rabbit)


def test_a_worker_told_to_stop_finishes_first_however_long_that_takes(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker("--grace", "0"))
    rabbit.put(task(1, "test.sleep", seconds=1.5))
    eventually(lambda: rabbit.started(1))
    rabbit.put(task(2))
    rabbit.order(stopping=[rabbit.batches[0]["worker"]])
    assert process.child.wait(120) == 0
    assert [each["task"] for each in rabbit.outcomes(1)] == [1]
    assert rabbit.heartbeats()[-1]["leaving"]
    assert rabbit.count(TASKS) == 1


def test_a_worker_at_rest_leaves_at_once_when_told_to_stop_or_by_a_signal(rabbit: Rabbit, worker: Start) -> None:
    first, second = ready(worker()), ready(worker())
    eventually(lambda: rabbit.heartbeats() and len({batch["worker"] for batch in rabbit.batches}) == 2)
    names = {batch["heartbeat"]["pid"]: batch["worker"] for batch in rabbit.batches}
    rabbit.order(stopping=[names[first.child.pid]], draining=[names[second.child.pid]])
    assert first.child.wait(120) == 0
    eventually(lambda: drains(rabbit))
    assert second.stop() == 0


def test_orders_survive_the_way() -> None:
    orders = Orders(paused=["default"], draining=["w:1:a"], stopping=["w:2:b"])
    assert decode_control(orders.encode()) == orders
