"""Work that the broker has lost comes back, and live work is left alone: a real broker, a relay with less patience."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from apps.queues.models import Queue
from apps.relay import canary, reconciler
from apps.relay.rounds import Relay
from apps.tasks.drafts import Draft
from apps.tasks.models import Kind, Task
from apps.tasks.services import create_many
from tests.fixtures.broker import Broker
from tests.fixtures.processes import eventually
from tests.relay.rig import QUEUE, home, opened, serving, take, tell, working
from workers.broker import OUTCOMES
from workers.messages import AGAIN_HEADER, Outcome, Started

WITNESS = "millrace.tasks.witness"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciler, "LOST_AFTER", timedelta(seconds=1))
    for name, seconds in (("LOOK_SECONDS", 0.1), ("SETTLE_SECONDS", 0.3), ("CANARY_SECONDS", 1.0)):
        monkeypatch.setattr(reconciler, name, seconds)
    monkeypatch.setattr(canary, "ASK_SECONDS", 0.05)


@pytest.fixture
def relay(impatient: None, alice: User, broker: Broker) -> Iterator[Relay]:
    with serving(broker) as relay:
        yield relay
    with opened(broker) as channel:
        for queue in (QUEUE, WITNESS, OUTCOMES):
            channel.queue_delete(queue)


@pytest.fixture
def queue(relay: Relay, broker: Broker) -> Iterator[Any]:
    """A look at the queues; what arrives of the outcomes is recorded."""
    with opened(broker) as channel, home(broker):
        yield channel


def made(user: User, count: int = 1, kind: str = "demo.noop") -> list[Task]:
    """So many tasks that the broker has by now."""
    tasks = create_many(user=user, drafts=[Draft(name=str(n), kind=kind) for n in range(count)])
    eventually(lambda: Task.objects.filter(kind=kind, dispatch_at=None).count() == count)
    return list(Task.objects.filter(pk__in=[task.pk for task in tasks]).order_by("id"))


def handed_over_again(task: Task) -> bool:
    return Task.objects.filter(pk=task.pk, handed_at__gt=task.handed_at).exists()


def again(channel: Any, count: int = 1, queue: str = QUEUE) -> list[int]:
    """The next tasks that come, each marked as perhaps sent before."""
    taken = take(channel, count, queue)
    assert all(AGAIN_HEADER in headers for _, headers in taken)
    return [body["task"] for body, _ in taken]


def finished(task: Task) -> Outcome:
    return Outcome(task=task.pk, attempt=1, status="FINISHED", run_seconds=0.5)


@pytest.fixture
def rescues(alice: User, queue: Any) -> Callable[[], None]:
    """`rescues()` returns when the reconciler has rescued the only task of another queue twice."""
    Queue.objects.create(name="witness")
    Kind.objects.create(name="witness", queue="witness", schema={"type": "object"}, announced_at="2026-01-01T00:00Z")

    def wait() -> None:
        made(alice, kind="witness")
        take(queue, 1, WITNESS)
        again(queue, 1, WITNESS)
        again(queue, 1, WITNESS)

    return wait


def test_a_purge_loses_nothing(alice: User, queue: Any) -> None:
    tasks = made(alice, 3)
    queue.queue_purge(QUEUE)
    assert sorted(again(queue, 3)) == [task.pk for task in tasks]


def test_after_a_purge_the_window_has_room_again(alice: User, queue: Any) -> None:
    create_many(user=alice, drafts=[Draft(name=str(n), kind="demo.noop") for n in range(250)])
    eventually(lambda: Task.objects.filter(dispatch_at=None).count() == 200)
    queue.queue_purge(QUEUE)
    assert {body["task"] for body, _ in take(queue, 250)} == set(Task.objects.values_list("id", flat=True))


def test_a_deleted_queue_loses_nothing_and_is_made_again(alice: User, queue: Any) -> None:
    [task] = made(alice)
    queue.queue_delete(QUEUE)
    eventually(lambda: handed_over_again(task))
    assert again(queue) == [task.pk]


def test_a_lost_broker_disk_loses_nothing(alice: User, relay: Relay, broker: Broker) -> None:
    [task] = made(alice)
    broker.start_empty()
    with home(broker), opened(broker) as channel:
        eventually(lambda: handed_over_again(task))
        assert again(channel) == [task.pk]


def test_what_a_vanished_worker_ran_is_handed_over_again(alice: User, queue: Any, broker: Broker) -> None:
    [task] = made(alice)
    take(queue, 1)
    tell(broker, Started(task=task.pk, attempt=1), running=[task.pk])
    assert again(queue) == [task.pk]
    assert Task.objects.get(pk=task.pk).status == "RUNNING"  # whoever takes it finds out whether its worker is gone


def test_a_lost_outcome_is_charged_as_a_run_that_vanished(
    alice: User, queue: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "LOST_AFTER", timedelta(seconds=3))
    [task] = made(alice)
    take(queue, 1)
    tell(broker, Started(task=task.pk, attempt=1), running=[task.pk])
    eventually(lambda: Task.objects.filter(pk=task.pk, status="RUNNING").exists())

    def idle_worker() -> bool:
        tell(broker)
        return not Task.objects.filter(pk=task.pk, status="RUNNING").exists()

    eventually(idle_worker)
    assert again(queue) == [task.pk]
    assert Task.objects.get(pk=task.pk).crashes == 1


def test_a_task_that_simply_runs_is_left_alone(
    alice: User, queue: Any, broker: Broker, rescues: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "LOST_AFTER", timedelta(seconds=4))  # a busy machine is no silent worker
    [task] = made(alice)
    take(queue, 1)
    with working(broker, task.pk):
        rescues()
    task.refresh_from_db()
    assert (task.status, task.dispatch_at) == ("RUNNING", None)
    assert queue.basic_get(QUEUE)[0] is None


def test_a_task_that_waits_in_its_queue_is_left_alone(alice: User, queue: Any, rescues: Callable[[], None]) -> None:
    [task] = made(alice)
    rescues()
    assert [body["task"] for body, _ in take(queue, 1)] == [task.pk]
    assert queue.basic_get(QUEUE)[0] is None


def test_nothing_is_lost_that_may_be_among_outcomes_not_yet_recorded(alice: User, relay: Relay, broker: Broker) -> None:
    [task] = made(alice)
    with opened(broker) as channel:
        take(channel, 1)
        tell(broker, Started(task=task.pk, attempt=1), finished(task))
        eventually(lambda: channel.queue_declare(OUTCOMES, passive=True).method.message_count > 3)
        assert Task.objects.get(pk=task.pk).dispatch_at is None
        with home(broker):
            eventually(lambda: Task.objects.get(pk=task.pk).status == "FINISHED")
            eventually(lambda: channel.queue_declare(OUTCOMES, passive=True).method.message_count == 0)
        assert channel.basic_get(QUEUE)[0] is None
