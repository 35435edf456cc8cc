"""What a round does with the broker's answers, whatever they are."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from django.utils import timezone

from apps.relay import rounds
from apps.relay.doubts import Doubts
from apps.relay.rounds import Relay
from apps.relay.schedule import BEHIND, Schedule, due
from apps.tasks.models import CancelledAttempt, Task
from workers.publisher import Message, Publisher, Verdict


class Answering:
    """A publisher whose broker answers what it is told to."""

    connected, blocked, trouble = True, False, ""

    def __init__(self, *answers: Verdict) -> None:
        self.answers = answers
        self.sent: list[Message] = []

    async def publish(self, messages: Sequence[Message]) -> list[Verdict]:
        self.sent += messages
        return list(self.answers)


def work(publisher: Answering, do: Callable[[Relay], Awaitable[Any]]) -> None:
    async def serve() -> None:
        relay = Relay([])
        relay._publisher = cast("Publisher", publisher)
        await do(relay)
        await relay._database.close_connection()

    asyncio.run(serve())


def carry(*answers: Verdict, again: int = 1) -> tuple[Answering, Doubts]:
    """Carries what is due, so often."""
    publisher, doubts = Answering(*answers), Doubts(timezone.now(), 0)

    async def do(relay: Relay) -> None:
        for _ in range(again):
            await relay._carry(due("default", 10), doubts)

    work(publisher, do)
    return publisher, doubts


@pytest.fixture
def tasks(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0)
    now = timezone.now()
    return [Task.objects.create(name=n, kind="k", created_at=now, dispatch_at=now) for n in "abc"]


@pytest.mark.parametrize(("count", "seconds"), [(2, 0.02), (3, 0.05), (99, 0.05), (100, 0.02)])
def test_after_a_round_of_several_the_relay_rests_longer(transactional_db: None, count: int, seconds: float) -> None:
    now, rests = timezone.now(), list[float]()
    Task.objects.bulk_create([Task(name="n", kind="k", created_at=now, dispatch_at=now)] * count)

    async def do(relay: Relay) -> None:
        relay._declared.queues = {"default"}
        await relay._round(Doubts(now, 0))
        rests.extend(relay._pace.wait() for _ in range(20))

    work(Answering(*[Verdict.CONFIRMED] * count), do)
    # Each is shorter by what passes between two calls, which on a busy machine may be long.
    assert max(b - a for a, b in pairwise(rests)) == pytest.approx(seconds, abs=0.001)
    assert not still_due()


def still_due() -> set[int]:
    return set(Task.objects.filter(dispatch_at__isnull=False).values_list("id", flat=True))


def test_of_what_is_due_the_higher_priority_goes_first_then_the_longest_due(tasks: list[Task]) -> None:
    now = timezone.now()
    for name, priority, seconds in [("late", 100, 3_600), ("low", -5, -9), ("high", 7, -1), ("higher", 7, -2)]:
        times = {"created_at": now, "dispatch_at": now + timedelta(seconds=seconds)}
        Task.objects.create(name=name, kind="k", priority=priority, **times)
    Task.objects.create(name="elsewhere", kind="k", queue="gpu", priority=9, created_at=now, dispatch_at=now)
    names = dict(Task.objects.values_list("id", "name"))
    whole = ["higher", "high", "a", "b", "c", "low"]
    for most in range(1, 8):
        assert [names[each.task] for each in due("default", most)] == whole[:most]
    assert [names[each.task] for each in due("gpu", 9)] == ["elsewhere"]
    assert due("none", 9) == []


def test_of_a_batch_that_was_cut_off_what_was_confirmed_is_marked(tasks: list[Task]) -> None:
    _, doubts = carry(Verdict.CONFIRMED, Verdict.UNCERTAIN, Verdict.REFUSED)
    assert still_due() == {tasks[1].pk, tasks[2].pk}
    assert doubts.about([]) == {(tasks[1].pk, 1)}


def test_a_broker_that_refuses_is_said_once_and_asked_again(tasks: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(rounds.log, "warning", lambda event, **_: said.append(event))
    publisher, _ = carry(*[Verdict.REFUSED] * 3, again=4)
    assert said == ["tasks.refused"]
    assert len(publisher.sent) == 12
    assert len(still_due()) == 3


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Verdict.CONFIRMED, True),
        (Verdict.UNROUTABLE, True),
        (Verdict.REFUSED, False),
        (Verdict.UNCERTAIN, False),
    ],
)
def test_who_was_not_told_of_a_cancellation_is_told_again(transactional_db: None, answer: Verdict, told: bool) -> None:
    CancelledAttempt.objects.add([(1, 1), (2, 1)], timezone.now())
    work(Answering(answer), lambda relay: relay._tell_cancelled(CancelledAttempt.objects.untold(2)))
    assert CancelledAttempt.objects.filter(told_at=None).count() == (0 if told else 2)


def test_the_relay_is_behind_when_full_batches_of_overdue_tasks_follow_each_other(
    tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("apps.relay.schedule.time.monotonic", lambda: now[0])
    schedule = Schedule()

    def look(most: int, seconds_later: float) -> bool:
        now[0] += seconds_later
        schedule.look(most)
        return schedule.is_behind

    Task.objects.update(dispatch_at=timezone.now() - BEHIND * 2)
    assert [look(2, 1) for _ in range(8)] == [False] * 6 + [True] * 2
    assert not look(4, 1)  # more than there are: this is all that waits
    now[0] += 6
    assert schedule.is_behind  # it was not carried on
    Task.objects.update(dispatch_at=timezone.now())
    assert [look(2, 1) for _ in range(8)] == [False] * 8


def test_when_nothing_is_due_the_relay_rests_until_something_is(tasks: list[Task]) -> None:
    def rests(most: int = 10) -> float:
        schedule = Schedule()
        schedule.look(most)
        return schedule.rest_seconds()

    assert rests() == 0  # they are due
    Task.objects.update(dispatch_at=timezone.now() + timedelta(seconds=100))
    Task.objects.filter(pk=tasks[0].pk).update(dispatch_at=timezone.now() + timedelta(seconds=30), priority=-5)
    assert 25 < rests() < 30.1
    assert rests(0) == math.inf  # of no queue
    Task.objects.update(dispatch_at=None)
    assert rests() == math.inf


def test_what_a_look_did_not_read_anew_is_not_rested_upon(transactional_db: None) -> None:
    schedule = Schedule()
    schedule.look(10)
    schedule.look(10)
    assert schedule.rest_seconds() == 0
