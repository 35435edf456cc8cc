"""How a worker leaves: what it cannot finish it gives back, and says first that it runs here no more."""

import os
import signal
import time

from tests.fixtures.processes import eventually
from tests.relay.rig import hung
from tests.workers.fixtures import Start
from tests.workers.rig import OTHERS, TASKS, Rabbit, Web, children_of, is_alive, ready, task, template_of
from tests.workers.test_slots import state_of
from workers.broker import DEAD, OUTCOMES
from workers.consumer import CANCEL_SECONDS


def told(rabbit: Rabbit) -> list[tuple[str, int]]:
    return [(each["type"], each["task"]) for each in rabbit.events()]


def test_an_unfinished_task_is_said_to_be_returned_before_another_gets_it(
    rabbit: Rabbit, worker: Start, web: Web
) -> None:
    first = ready(worker("--grace", "0.2", "--concurrency", "2"))
    rabbit.put(*[task(number, "test.sleep", seconds=600) for number in (1, 2)])
    eventually(lambda: rabbit.started(1) and rabbit.started(2))
    below = children_of(first.child.pid)
    assert first.stop() == 0
    assert rabbit.count(TASKS) == 2
    assert sorted(told(rabbit)) == [("RETURNED", 1), ("RETURNED", 2), ("STARTED", 1), ("STARTED", 2)]
    assert rabbit.heartbeats()[-1]["leaving"]
    assert {each["type"] for batch in rabbit.batches[-2:-1] for each in batch["events"]} == {"RETURNED"}
    eventually(lambda: not any(is_alive(pid) for pid in below))


def test_what_was_announced_but_never_read_is_said_to_be_returned(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker("--grace", "0.2"))
    rabbit.put(task(1))
    rabbit.outcome(1)
    [child] = children_of(template_of(process))
    os.kill(child, signal.SIGSTOP)
    eventually(lambda: state_of(child) == "T")
    rabbit.put(task(2))
    eventually(lambda: rabbit.started(2))
    assert process.stop() == 0
    assert told(rabbit)[-2:] == [("STARTED", 2), ("RETURNED", 2)]
    assert rabbit.count(TASKS) == 1


def test_what_was_not_announced_is_given_back_without_a_word(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker("--grace", "60", "--queues", "default,others"))
    rabbit.put(task(1, "test.sleep", seconds=1))
    eventually(lambda: rabbit.started(1))
    rabbit.put(*[task(number) for number in range(2, 12)], queue=OTHERS)
    assert process.stop() == 0
    assert rabbit.count(OTHERS) == 10
    assert told(rabbit) == [("STARTED", 1), ("OUTCOME", 1)]


def test_a_worker_that_cannot_publish_leaves_all_the_same_and_the_broker_takes_everything_back(
    rabbit: Rabbit, worker: Start
) -> None:
    process = ready(worker("--grace", "0.2"))
    rabbit.put(task(1, "test.sleep", seconds=600))
    eventually(lambda: rabbit.started(1))
    with rabbit.opened() as channel:
        channel.queue_delete(OUTCOMES)
    assert process.stop() == 0
    assert rabbit.count(TASKS) == 1


def test_code_that_did_not_end_in_time_is_given_back(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker("--grace", "0", MILLRACE_HANDLERS="workers.handlers.demo,workers.sandbox"))
    rabbit.put(
        task(1, "code.python", code="import time\nprint(1)\ntime.sleep(1000)"), task(2, "code.python", code="1 + 1")
    )
    eventually(lambda: [each for each in rabbit.events() if each["type"] == "OUTPUT"])
    below = children_of(process.child.pid)
    assert process.stop(20) == 0
    assert rabbit.count(TASKS) == 2
    assert [each["task"] for each in rabbit.events() if each["type"] == "RETURNED"] == [1]
    eventually(lambda: not any(map(is_alive, below)))


def test_after_the_broker_hung_a_leaving_worker_is_not_brought_the_same_again_and_again(
    rabbit: Rabbit, worker: Start
) -> None:
    process = ready(worker("--grace", "60", "--concurrency", "2", "--queues", "default,others"))
    rabbit.put(task(1, "test.sleep", seconds=8))
    eventually(lambda: rabbit.started(1))
    eventually(lambda: rabbit.consumers(OTHERS) == 1)
    with hung(rabbit.broker):
        process.child.send_signal(signal.SIGTERM)
        eventually(lambda: "stopping" in process.output)
        time.sleep(2 * CANCEL_SECONDS)  # it waits no longer
    rabbit.put(task(2), queue=OTHERS)
    rabbit.outcome(1)
    assert process.child.wait() == 0
    assert rabbit.count(DEAD) == 0
    assert rabbit.count(OTHERS) == 1
