"""A worker process on a real broker: what becomes of its tasks, and of them when something dies."""

import os
import signal
from pathlib import Path

from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import Start
from tests.workers.rig import TASKS, Rabbit, Web, children_of, is_alive, ready, task, template_of
from workers.broker import BAD, OUTCOMES
from workers.builtin import BUILT_IN


def test_under_load_outcomes_travel_in_bursts_and_short_tasks_without_started(
    rabbit: Rabbit, one_slot: Process
) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    with_events = [batch for batch in rabbit.batches if batch["events"]]
    assert len(with_events) < 300
    assert sum(1 for each in rabbit.events() if each["type"] == "STARTED") < 300


def test_an_innocent_task_behind_one_that_kills_its_child_is_run(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(number) for number in range(1, 301)], task(301, "test.os_exit", code=9))
    rabbit.put(*[task(number) for number in range(302, 401)])
    failed = [each["task"] for each in rabbit.outcomes(400, 30) if each["status"] == "FAILED"]
    assert failed == [301]


def test_a_task_handed_to_a_child_that_has_just_died_is_run_by_another(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1))
    rabbit.outcome(1)
    template = template_of(one_slot)
    [child] = children_of(template)
    os.kill(template, signal.SIGSTOP)  # it cannot tell the worker
    os.kill(child, signal.SIGKILL)
    eventually(lambda: not is_alive(child))  # until then it may still read
    rabbit.put(task(2))
    eventually(lambda: rabbit.started(2))  # as far as the worker knows
    os.kill(template, signal.SIGCONT)
    assert rabbit.outcome(2)["status"] == "FINISHED"
    assert "between two tasks: its process was killed by SIGKILL" in one_slot.output


def test_a_large_task_that_a_dead_child_has_not_read_is_run_by_another(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1))
    rabbit.outcome(1)
    template = template_of(one_slot)
    [child] = children_of(template)
    os.kill(template, signal.SIGSTOP)
    os.kill(child, signal.SIGKILL)
    eventually(lambda: not is_alive(child))  # until then it may still read
    rabbit.put(task(2, x="x" * 250_000))
    eventually(lambda: rabbit.started(2))
    os.kill(template, signal.SIGCONT)
    assert rabbit.outcome(2)["status"] == "FINISHED"


def test_a_handler_that_returns_twice_has_one_outcome(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.fork"), task(2))
    assert int(rabbit.outcome(1)["value"]) > 0
    assert [each["task"] for each in rabbit.outcomes(2)] == [1, 2]
    assert "warning" not in one_slot.output


def test_a_handler_that_writes_to_the_workers_socket_costs_its_process_alone(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.intrude"))
    rabbit.outcome(1)
    eventually(lambda: "wrote to the socket that belongs to the worker" in one_slot.output)
    rabbit.put(task(2))
    assert rabbit.outcome(2)["status"] == "FINISHED"
    assert one_slot.child.poll() is None


def test_tasks_go_on_when_the_template_is_killed(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1))
    rabbit.outcome(1)
    template = template_of(one_slot)
    os.kill(template, signal.SIGKILL)
    rabbit.put(task(2), task(3))
    rabbit.outcomes(3)
    assert one_slot.child.poll() is None


def test_a_killed_workers_task_goes_to_another_worker_and_its_children_die(
    rabbit: Rabbit, worker: Start, web: Web, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    first = ready(worker())
    rabbit.put(task(1, "test.sleep", seconds=2, ledger=str(ledger)))
    eventually(lambda: ledger.exists() and ledger.read_text())  # it is said to have started a moment earlier
    below = children_of(first.child.pid)
    assert int(ledger.read_text()) in below
    worker()
    first.kill()
    eventually(lambda: not any(is_alive(pid) for pid in below))
    outcome = rabbit.outcome(1)
    assert outcome["status"] == "FINISHED"
    assert outcome["worker"].split(":")[1] != str(first.child.pid)
    assert {(each["task"], each["attempt"]) for each in web.claims} == {(1, 1)}
    assert web.tokens == {"Bearer token-of-worker"}
    assert len(ledger.read_text().splitlines()) == 2


def test_a_redelivery_that_the_web_wants_dropped_is_not_run(
    rabbit: Rabbit, one_slot: Process, web: Web, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    web.claim_verdict = "DROP"
    rabbit.put(task(1, "test.sleep", seconds=0, ledger=str(ledger)), headers={"x-again": 1})
    eventually(lambda: len(web.claims) == 1)
    web.claim_verdict = "RUN"
    rabbit.put(task(2))
    assert [each["task"] for each in rabbit.outcomes(1)] == [2]
    assert not ledger.exists()


def test_a_first_delivery_runs_unasked_however_long_it_waited(rabbit: Rabbit, worker: Start, web: Web) -> None:
    worker("--concurrency", "1")  # one that does not look ahead: about what it gave back and gets again it asks
    rabbit.put(*[task(number, "test.sleep", seconds=0.3) for number in (1, 2, 3)])
    assert [each["status"] for each in rabbit.outcomes(3)] == ["FINISHED"] * 3
    assert web.claims == []


def test_tasks_run_though_the_web_is_away(rabbit: Rabbit, one_slot: Process, web: Web) -> None:
    web.failures = [(503, b"busy")] * 100
    rabbit.put(*[task(number, "test.sleep", seconds=0.2) for number in (1, 2, 3)])
    assert [each["status"] for each in rabbit.outcomes(3)] == ["FINISHED"] * 3


def test_a_message_about_which_the_web_cannot_be_asked_is_parked(rabbit: Rabbit, one_slot: Process, web: Web) -> None:
    web.failures = [(400, b'{"errors":[{"message":"no 32-bit number","extensions":{"code":"BAD_USER_INPUT"}}]}')]
    rabbit.put(task(2**40), headers={"x-again": 1})
    rabbit.put(task(1))
    rabbit.outcome(1)
    eventually(lambda: rabbit.count(BAD) == 1)
    assert "no 32-bit number" in rabbit.take(BAD)[0][1]["x-why"]


def test_a_redelivery_waits_for_the_web_and_others_pass_it(rabbit: Rabbit, two_slots: Process, web: Web) -> None:
    web.failures = [(503, b"busy"), (200, b'{"errors":[{"message":"locked"}]}'), (200, b"[]")]
    rabbit.put(task(1), headers={"x-again": 1})
    rabbit.put(task(2))
    assert rabbit.outcomes(2)[0]["task"] == 2
    assert rabbit.number(1) in [claim["task"] for claim in web.claims]


def test_a_delivery_is_acked_only_after_the_broker_has_its_outcome(rabbit: Rabbit, worker: Start) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete(OUTCOMES)
    process = worker()
    rabbit.put(task(1))
    eventually(lambda: "outcomes are kept here for now" in process.output)
    assert rabbit.count(TASKS) == 0
    process.kill()
    eventually(lambda: rabbit.count(TASKS) == 1)


def test_an_outcome_that_was_refused_is_published_again(rabbit: Rabbit, worker: Start) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete(OUTCOMES)
    process = worker()
    rabbit.put(task(1))
    eventually(lambda: "outcomes are kept here for now" in process.output)
    rabbit.make_queues()
    assert rabbit.outcome(1)["status"] == "FINISHED"


def test_long_tasks_are_shared_after_very_short_ones(rabbit: Rabbit, worker: Start) -> None:
    for process in (worker(), worker()):
        ready(process)
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    rabbit.put(*[task(number, "test.sleep", seconds=0.5) for number in range(1001, 1013)])
    outcomes = rabbit.outcomes(1012, 30)[1000:]
    shares = sorted(
        [each["worker"] for each in outcomes].count(worker) for worker in {each["worker"] for each in outcomes}
    )
    assert sum(shares) == 12
    assert min(shares) >= 4, shares


def test_a_worker_in_a_long_task_holds_no_other(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    rabbit.put(task(2000, "test.sleep", seconds=60), *[task(number) for number in range(2001, 2051)])
    eventually(lambda: rabbit.started(2000))
    eventually(lambda: rabbit.count(TASKS) == 50)


def test_short_tasks_do_not_wait_behind_a_long_one_in_another_slot(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    rabbit.put(task(2000, "test.sleep", seconds=60), *[task(number) for number in range(2001, 2201)])
    assert {each["task"] for each in rabbit.outcomes(1200)[1000:]} == set(range(2001, 2201))


def test_short_tasks_do_not_wait_behind_a_long_one_while_another_slot_is_busy(
    rabbit: Rabbit, two_slots: Process
) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    rabbit.put(task(2000, "test.sleep", seconds=600), *[task(number) for number in range(2001, 2100)])
    for first in range(3000, 33_000, 300):  # of which the other slot always has some
        rabbit.put(*[task(number) for number in range(first, first + 300)])
        if {each["task"] for each in rabbit.events() if each["type"] == "OUTCOME"} >= set(range(2001, 2100)):
            return
    raise AssertionError("30,000 others have passed them")


def test_a_few_tasks_behind_a_long_one_are_given_back(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(*[task(number) for number in range(1, 1001)])
    rabbit.outcomes(1000, 30)
    rabbit.put(task(2000, "test.sleep", seconds=60), *[task(number) for number in range(2001, 2006)])
    eventually(lambda: rabbit.count(TASKS) == 5)


def test_sigterm_lets_the_running_finish_and_gives_the_rest_back(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker("--grace", "60"))
    rabbit.put(*[task(number, "test.sleep", seconds=1) for number in range(1, 4)])
    eventually(lambda: rabbit.started(1))
    assert process.stop() == 0
    assert [each["task"] for each in rabbit.outcomes(1)] == [1]
    assert rabbit.count(TASKS) == 2
    assert rabbit.heartbeats()[-1]["leaving"]


def test_what_does_not_finish_in_the_grace_is_killed_and_given_back(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker("--grace", "0.3"))
    rabbit.put(task(1, "test.sleep", seconds=60))
    eventually(lambda: rabbit.started(1))
    below = children_of(process.child.pid)
    assert process.stop() == 0
    assert rabbit.count(TASKS) == 1
    eventually(lambda: not any(is_alive(pid) for pid in below))


def test_a_second_signal_means_now(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker("--grace", "60"))
    rabbit.put(task(1, "test.sleep", seconds=60))
    eventually(lambda: rabbit.started(1))
    process.child.send_signal(signal.SIGINT)
    eventually(lambda: "stopping" in process.output)
    assert process.stop(2) == 0
    assert rabbit.count(TASKS) == 1


def test_the_first_heartbeat_tells_kinds_and_environment(rabbit: Rabbit, worker: Start) -> None:
    process = worker("--concurrency", "3", MILLRACE_HANDLERS=",".join(BUILT_IN))
    eventually(rabbit.heartbeats)
    first = rabbit.heartbeats()[0]
    assert {"demo.coin", "demo.noop", "montecarlo.sde", "code.python"} == {kind["name"] for kind in first["kinds"]}
    coin = next(kind for kind in first["kinds"] if kind["name"] == "demo.coin")
    assert coin["schema"]["properties"]["failure_rate"]["maximum"] == 1
    assert coin["schema"]["additionalProperties"] is False
    assert coin["doc"].startswith("Takes its time")
    assert "numpy" in first["environment"]["packages"]
    assert first["environment"]["sandbox"] == "full"
    assert "user code: full sandbox\n" in process.output
    assert (first["pid"], first["concurrency"], first["queues"]) == (process.child.pid, 3, ["default"])


def test_a_missing_queue_is_waited_for(rabbit: Rabbit, worker: Start) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete(TASKS)
    process = worker()
    eventually(lambda: "is not there yet; the relay makes it" in process.output)
    rabbit.make_queues()
    rabbit.put(task(1))
    rabbit.outcome(1)


def test_a_deleted_queue_is_noticed(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker())
    rabbit.put(task(1))
    rabbit.outcome(1)
    with rabbit.opened() as channel:
        channel.queue_delete(TASKS)
    eventually(lambda: "the queue was deleted" in process.output)
    rabbit.declare()
    rabbit.put(task(2))
    rabbit.outcome(2)
