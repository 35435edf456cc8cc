"""How much of a queue runs at once and begins in a minute: what the relay hands over, what both doors take and tell."""

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.accounts.permissions import Scope
from apps.audit.models import Entry
from apps.queues import services
from apps.queues.limits import Limits
from apps.queues.models import Queue
from apps.relay.gates import Gate
from apps.relay.schedule import Schedule, mark_handed_over
from apps.tasks.models import Task
from tests.fixtures.asking import Asker
from tests.queues.rows import a_worker, waiting

UPDATE = """mutation ($input: UpdateQueueInput!) { updateQueue(input: $input) {
  queue { name concurrencyLimit ratePerMinute } userErrors { field message code }
} }"""


def handed_over(schedule: Schedule) -> list[int]:
    found = schedule.look(100)
    mark_handed_over(found)
    schedule.handed_over(found)
    return [each.task for each in found]


def limit(user: User, name: str = "default", **asked: Any) -> Limits:
    return services.limit_queue(user=user, name=name, asked=asked)


def test_no_more_than_the_limit_are_with_workers_at_once(ana: User, alice: User) -> None:
    numbers = [waiting(alice).pk for _ in range(5)]
    other = waiting(alice, queue="gpu").pk
    Queue.objects.create(name="gpu")
    assert limit(ana, concurrency_limit=2) == Limits(at_once=2)
    schedule = Schedule()
    assert handed_over(schedule) == [*numbers[:2], other]
    assert schedule.holds_back
    assert handed_over(schedule) == []
    Task.objects.filter(pk=numbers[0]).update(status="RUNNING")
    assert handed_over(schedule) == []  # one runs, one is about to
    Task.objects.filter(pk=numbers[0]).update(status="FINISHED")
    assert handed_over(schedule) == [numbers[2]]
    limit(ana, concurrency_limit=None)
    assert handed_over(Schedule()) == numbers[3:]


def test_a_lost_run_is_handed_over_again_within_the_limit(ana: User, alice: User) -> None:
    """It is RUNNING still, but runs nowhere."""
    waiting(alice)
    limit(ana, concurrency_limit=1)
    schedule = Schedule()
    [number] = handed_over(schedule)
    Task.objects.filter(pk=number).update(status="RUNNING")
    assert handed_over(schedule) == []
    Task.objects.hand_over_again([(number, 1)])
    assert handed_over(schedule) == [number]
    assert handed_over(schedule) == []


def test_nothing_that_waits_is_nothing_held_back(ana: User, alice: User) -> None:
    waiting(alice)
    limit(ana, concurrency_limit=1, rate_per_minute=0.01)
    schedule = Schedule()
    handed_over(schedule)
    assert handed_over(schedule) == []
    assert not schedule.holds_back
    waiting(alice)
    assert handed_over(schedule) == []
    assert schedule.holds_back


def test_a_limit_holds_at_the_next_look_of_a_relay_that_runs(ana: User, alice: User) -> None:
    schedule = Schedule()
    schedule.look(100)
    waiting(alice), waiting(alice)
    limit(ana, concurrency_limit=1)
    schedule._queues_read_at = 0
    assert len(handed_over(schedule)) == 1
    assert schedule.holds_back


def test_no_more_than_the_rate_begin(ana: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(50):
        waiting(alice)
    limit(ana, rate_per_minute=120)
    schedule, counts = Schedule(), []
    for step in range(40):  # ten seconds
        now = step / 4
        begun = handed_over(schedule)
        Task.objects.filter(pk__in=begun).update(status="FINISHED")
        counts.append(len(begun))
    assert sum(counts) in (20, 21)
    assert max(counts) <= 2


@pytest.mark.parametrize(("per_minute", "at_once", "next_in"), [(6, 1, 10), (6_000, 100, 0.01)])
def test_a_gate_saves_nothing_up(
    per_minute: float, at_once: int, next_in: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    gate = Gate(per_minute)
    assert gate.room() == 1
    now = 3_600
    assert gate.room() == at_once
    gate.passed(at_once)
    now += next_in * 0.9
    assert gate.room() == 0
    now += next_in * 0.2
    assert gate.room() == 1


def test_both_doors_take_limits_and_tell_what_is_wrong(ana: User, desk: Client) -> None:
    asker = Asker.of(ana, Scope.OPS, Scope.TASKS_READ)
    made = asker.data(UPDATE, input={"name": "default", "concurrencyLimit": 3, "ratePerMinute": 0.5})["updateQueue"]
    assert made == {"queue": {"name": "default", "concurrencyLimit": 3, "ratePerMinute": 0.5}, "userErrors": []}
    made = asker.data(UPDATE, input={"name": "default", "ratePerMinute": None})["updateQueue"]
    assert made["queue"] == {"name": "default", "concurrencyLimit": 3, "ratePerMinute": None}
    assert Entry.objects.latest("pk").details == "at most 3 at once"
    for asked, field in (({"concurrencyLimit": 0}, "concurrencyLimit"), ({"ratePerMinute": -1}, "ratePerMinute")):
        [error] = asker.data(UPDATE, input={"name": "default", **asked})["updateQueue"]["userErrors"]
        assert (error["field"], error["code"]) == ([field], "INVALID")
        assert error["message"].startswith("Must be ")
    [error] = asker.data(UPDATE, input={"name": "nope"})["updateQueue"]["userErrors"]
    assert error["code"] == "NOT_FOUND"

    page = desk.get("/queues/default/limits/").content.decode()
    assert 'value="3"' in page
    answer = desk.post("/queues/default/limits/", {"concurrency_limit": "three", "rate_per_minute": "0"})
    assert answer.status_code == 422
    assert "Must be a whole number, such as 42" in answer.content.decode()
    assert 'value="three"' in answer.content.decode()
    answer = desk.post("/queues/default/limits/", {"concurrency_limit": "3", "rate_per_minute": "0"})
    assert "Must be from 0.01 to 1,000,000, or none for no limit." in answer.content.decode()
    assert desk.post("/queues/default/limits/", {"rate_per_minute": "1.5"}).status_code == 302
    assert "at most 1.5 a minute" in desk.get("/queues/").content.decode()
    assert desk.get("/queues/nope/limits/").status_code == 404


def test_a_waiting_task_says_that_its_queue_is_limited(web: Client, ana: User, alice: User) -> None:
    a_worker()
    task = waiting(alice, dispatch_at=None, handed_at=timezone.now())
    limit(ana, concurrency_limit=1, rate_per_minute=30)
    limited = "the queue default, which is limited to 1 at once, 30 a minute."
    assert f"1st in {limited}" in web.get(f"/tasks/{task.pk}/").content.decode()
    asked = "query ($n: Int) { task(number: $n) { statusText waiting { position estimatedStart } } }"
    told = Asker.of(alice).data(asked, n=task.pk)
    assert told["task"] == {
        "statusText": f"Waits in {limited}",
        "waiting": {"position": 1, "estimatedStart": None},
    }
