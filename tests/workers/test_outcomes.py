"""What becomes of a task in a worker, on a real broker: outcomes for good and bad handlers and messages."""

import json
import os
import signal

from tests.fixtures.processes import Process, eventually
from tests.workers.rig import TASKS, Rabbit, task
from workers.broker import BAD


def test_every_task_has_one_outcome_and_the_queue_is_empty(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(*[task(number, x=number / 4) for number in range(1, 301)])
    outcomes = rabbit.outcomes(300)
    assert {each["task"]: each["value"] for each in outcomes} == {n: repr(n / 4) for n in range(1, 301)}
    assert len(outcomes) == 300
    assert {each["status"] for each in outcomes} == {"FINISHED"}
    eventually(lambda: rabbit.count(TASKS) == 0)


def test_started_of_a_longer_task_arrives_while_it_runs(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(task(1001, "test.sleep", seconds=1))
    eventually(lambda: rabbit.started(1001))
    assert not [each for each in rabbit.events() if each["type"] == "OUTCOME"]
    outcome = rabbit.outcome(1001)
    assert outcome["result"] == '"slept"'
    assert 1 <= outcome["run_seconds"] < 2


def test_a_failing_handler_fails_its_task_with_the_users_own_lines(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(task(1101, "demo.coin", failure_rate=1, seconds=0))
    outcome = rabbit.outcome(1101)
    assert (outcome["status"], outcome["reason"]) == ("FAILED", "ERROR")
    assert outcome["error"]["type"] == "SimulatedFailure"
    assert "in coin" in outcome["error"]["traceback"]
    assert "executor.py" not in outcome["error"]["traceback"]


def test_a_child_that_dies_fails_its_own_task_and_the_worker_lives(rabbit: Rabbit, two_slots: Process) -> None:
    deaths: list[tuple[str, dict[str, int], str]] = [
        ("test.kill", {}, "killed by SIGKILL, most likely because memory ran out"),
        ("test.kill", {"signal_number": int(signal.SIGSEGV)}, "killed by SIGSEGV"),
        ("test.os_exit", {"code": 3}, "exited with code 3"),
        ("test.os_exit", {"code": 0}, "exited with code 0"),
        ("test.sys_exit", {"code": 3}, "exited with code 3 in mid-task"),
    ]
    for number, (kind, params, _) in enumerate(deaths, 1201):
        rabbit.put(task(number, kind, **params), task(number + 100))
    rabbit.outcomes(2 * len(deaths))
    for number, (_, _, said) in enumerate(deaths, 1201):
        outcome = rabbit.outcome(number)
        assert (outcome["status"], outcome["reason"]) == ("FAILED", "CRASHED")
        assert said in outcome["error"]["message"]
        assert rabbit.outcome(number + 100)["status"] == "FINISHED"
    assert two_slots.child.poll() is None


MALFORMED = [
    b"",
    b"\xff\xfe{",
    b"not json",
    b"[]",
    b'{"v":2,"task":1,"attempt":1,"kind":"demo.noop","params":{}}',
    b'{"v":1,"attempt":1,"kind":"demo.noop","params":{}}',
    b'{"v":1,"task":1,"attempt":0,"kind":"demo.noop","params":{}}',
    b'{"v":1,"task":1,"attempt":"1","kind":"demo.noop","params":{}}',
    b'{"v":1,"task":1,"attempt":1,"kind":"demo.noop","params":[]}',
    b'{"v":1,"task":1,"attempt":1,"kind":"demo.noop","params":{"x":NaN}}',
    b'{"v":1,"worker":"w","events":[]}',
    b"[" * 100_000,
    b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
]


def test_malformed_messages_are_parked_with_their_reason_and_others_pass(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put_bodies(TASKS, *MALFORMED)
    rabbit.put(task(1401))
    rabbit.outcome(1401)
    eventually(lambda: rabbit.count(BAD) == len(MALFORMED))
    parked = rabbit.take(BAD)
    assert sorted(body for body, _ in parked) == sorted(MALFORMED)
    assert all(headers["x-why"] and headers["x-source"] == TASKS for _, headers in parked)
    eventually(lambda: rabbit.count(TASKS) == 0)


def test_an_unknown_kind_fails_and_names_the_known_ones(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(task(1501, "no.such"))
    outcome = rabbit.outcome(1501)
    assert outcome["reason"] == "UNKNOWN_KIND"
    assert "demo.coin" in outcome["error"]["message"]


def test_a_child_knows_no_secret_and_has_no_connection(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(task(1601, "test.process"))
    seen = json.loads(rabbit.outcome(1601)["result"])
    assert not {"RABBITMQ_URL", "MILLRACE_TOKEN"} & set(seen["environment"])
    assert sum("socket:" in each for each in seen["descriptors"]) <= 2
    assert seen["session"] != os.getsid(0)


def test_children_draw_different_random_numbers(rabbit: Rabbit, two_slots: Process) -> None:
    rabbit.put(*[task(number, "test.sleep", seconds=0.2) for number in (1701, 1702)])
    rabbit.put(*[task(number, "test.process") for number in range(1703, 1740)])
    seen = [json.loads(each["result"]) for each in rabbit.outcomes(39) if each["task"] > 1702]
    assert len({each["random"] for each in seen}) == 37
