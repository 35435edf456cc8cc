"""Pausing, resuming and purging queues, draining and stopping workers: who may, and what becomes of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.utils import timezone

from apps.accounts.permissions import Scope
from apps.queues import figures, orders, services
from apps.queues.models import Queue, Worker
from apps.relay.schedule import Schedule
from apps.tasks import recording
from apps.tasks.drafts import Refused
from apps.tasks.models import Attempt, CancelledAttempt, Kind, Task
from tests.fixtures.asking import Asker, code_of
from tests.queues.rows import a_task, a_worker, waiting
from tests.tasks.events import batch, finished
from workers.messages import Orders

ACTS = [services.pause_queue, services.resume_queue, services.purge_queue]
ORDERS = [services.drain_worker, services.stop_worker, services.resume_worker]


def limit(*, user: User, name: str) -> object:
    return services.limit_queue(user=user, name=name, asked={"concurrency_limit": 1})


ACTS.append(limit)


@pytest.mark.parametrize("act", [*ACTS, *ORDERS])
@pytest.mark.parametrize("who", ["alice", "sam", "vera"])
def test_who_may_not_is_told_why_and_nothing_happens(act: object, who: str, alice: User, sam: User, ana: User) -> None:
    task = waiting(alice)
    a_worker("default")
    vera = User.objects.create_user("vera")  # a viewer, who changes nothing whatever else she has
    vera.groups.set(Group.objects.filter(name="Viewer"))
    vera.user_permissions.add(Permission.objects.get(codename="can_operate"))
    with pytest.raises(Refused, match="Only who has the permission") as refused:
        act(user=User.objects.get(username=who), name="default")  # type: ignore[operator]
    assert refused.value.problems[0].code == "FORBIDDEN"
    task.refresh_from_db()
    assert task.status == "QUEUEING"
    assert orders.current() == Orders()


def test_a_pause_stays_whose_it_is_until_it_is_resumed(ana: User, sam: User) -> None:
    assert services.pause_queue(user=ana, name="default")
    sam.user_permissions.add(Permission.objects.get(codename="can_operate"))
    assert not services.pause_queue(user=User.objects.get(pk=sam.pk), name="default")
    assert orders.current() == Orders(paused=["default"])
    assert Queue.objects.get().paused_by == ana
    assert services.resume_queue(user=ana, name="default")
    assert not services.resume_queue(user=ana, name="default")
    assert orders.current() == Orders()


def test_of_a_paused_queue_the_relay_hands_over_nothing(ana: User, alice: User) -> None:
    Queue.objects.create(name="gpu")
    here, there = waiting(alice), waiting(alice, queue="gpu")
    services.pause_queue(user=ana, name="default")
    assert [each.task for each in Schedule().look(10)] == [there.pk]
    services.resume_queue(user=ana, name="default")
    assert [each.task for each in Schedule().look(10)] == [here.pk, there.pk]


@pytest.mark.parametrize("act", ACTS)
def test_a_queue_that_is_none_is_refused(act: object, ana: User) -> None:
    with pytest.raises(Refused, match="There is no queue nowhere"):
        act(user=ana, name="nowhere")  # type: ignore[operator]


def test_a_queue_that_only_a_kind_is_meant_for_can_be_paused(ana: User) -> None:
    Kind.objects.create(name="k", queue="later", announced_at=timezone.now())
    assert services.pause_queue(user=ana, name="later")
    assert orders.current().paused == ["later"]


def test_a_purge_cancels_all_that_waits_and_nothing_else(
    ana: User, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PURGED_AT_ONCE", 2)
    now = timezone.now()
    gone = [waiting(owner) for owner in (alice, bob, alice)]
    gone += [waiting(alice, dispatch_at=None, handed_at=now), waiting(bob, dispatch_at=now + timedelta(days=1))]
    others = [waiting(alice, queue="gpu"), a_task(alice), a_task(alice, status="FINISHED", finished_at=now)]
    Attempt.objects.create(task=gone[0], number=1, worker="w", status="QUEUEING", started_at=now)
    assert services.purge_queue(user=ana, name="default") == services.Purge(5, 0)
    assert {each.pk for each in Task.objects.filter(status="CANCELLED")} == {each.pk for each in gone}
    assert [Task.objects.get(pk=each.pk).status for each in others] == ["QUEUEING", "RUNNING", "FINISHED"]
    assert Attempt.objects.get().status == "CANCELLED"
    # What the broker may have comes last: of very many a worker remembers the latest.
    assert CancelledAttempt.objects.latest("id").task == gone[3].pk
    assert recording.record([batch(finished(gone[3]))]) == ["CANCELLED"]


def test_a_purge_that_takes_too_long_says_what_is_left(ana: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PURGED_AT_ONCE", 2)
    monkeypatch.setattr(services, "PURGE_SECONDS", -1)
    for _ in range(5):
        waiting(alice)
    assert services.purge_queue(user=ana, name="default") == services.Purge(2, 3)


def test_an_order_to_a_worker_stands_until_it_is_taken_back(ana: User) -> None:
    a_worker("w1")
    a_worker("w2")
    services.drain_worker(user=ana, name="w1")
    services.stop_worker(user=ana, name="w2")
    a_worker("w1", draining=True)  # a heartbeat takes nothing back
    assert orders.current() == Orders(draining=["w1"], stopping=["w2"])
    a_worker("w2", leaving=True)
    worker = services.resume_worker(user=ana, name="w1")
    assert (worker.order, worker.ordered_by) == ("", None)
    assert orders.current() == Orders()


def test_a_silent_worker_keeps_its_order_for_when_it_is_back(ana: User) -> None:
    a_worker("w1")
    services.drain_worker(user=ana, name="w1")
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(minutes=3))
    assert orders.current() == Orders(draining=["w1"])


def test_a_worker_that_is_gone_is_told_so(ana: User) -> None:
    a_worker("lost", seen_seconds_ago=185)
    a_worker("left", leaving=True)
    for name, sentence in [
        ("lost", "Worker lost is lost: it was last heard from 3 min 5 s ago and cannot be told."),
        ("left", "Worker left has left already."),
        ("none", "There is no worker none."),
    ]:
        with pytest.raises(Refused) as refused:
            services.stop_worker(user=ana, name=name)
        assert str(refused.value) == sentence


def test_figures_are_those_of_each_queue(alice: User) -> None:
    now = timezone.now()
    long_ago = now - timedelta(hours=2)
    waiting(alice, created_at=long_ago, dispatch_at=now - timedelta(minutes=5))
    waiting(alice, created_at=long_ago, dispatch_at=None, handed_at=now)
    waiting(alice, dispatch_at=now + timedelta(hours=1))
    a_task(alice)
    a_task(alice, status="FINISHED", finished_at=now)
    a_task(alice, status="FINISHED", finished_at=long_ago, created_at=long_ago)
    waiting(alice, dispatch_at=now + timedelta(hours=1), priority=5)
    waiting(alice, queue="gpu")
    waiting(alice, queue="gpu", priority=100)
    waiting(alice, queue="gpu", priority=-100, dispatch_at=long_ago)
    found = figures.of(["default", "gpu", "empty"])
    assert found["default"] == figures.Figures(
        due=1, in_broker=1, later=2, running=1, oldest=long_ago, created=4, ended=1
    )
    assert (found["gpu"].due, found["gpu"].waiting, found["gpu"].oldest) == (3, 3, long_ago)
    assert found["empty"] == figures.Figures()


def test_figures_stop_at_a_cap_and_say_so(alice: User) -> None:
    now = timezone.now()
    Task.objects.create(name="t", kind="k", created_by=alice, created_at=now, dispatch_at=now)
    columns = ", ".join(f"{field.column}" for field in Task._meta.concrete_fields if not field.primary_key)
    with connection.cursor() as cursor:
        for _ in range(figures.COUNT_CAP.bit_length()):
            cursor.execute(f"INSERT INTO tasks_task ({columns}) SELECT {columns} FROM tasks_task")  # noqa: S608
    found = figures.of(["default"], now)["default"]
    assert (found.due, found.created, found.is_exact) == (figures.COUNT_CAP + 1, figures.COUNT_CAP + 1, False)


PAUSE = "mutation($n: String!) { pauseQueue(input: {name: $n}) { queue { %s } userErrors { message code field } } }"
FIELDS = "paused pausedAt pausedBy { username } ready scheduled running oldestSeconds workers exact"


def test_queues_are_told_and_operated_over_graphql(ana: User, alice: User) -> None:
    a_worker("w1", queues=["default", "gpu"])
    waiting(alice)
    asker = Asker.of(ana, Scope.TASKS_READ, Scope.OPS)
    answer = asker.data(PAUSE % FIELDS, n="default")["pauseQueue"]
    assert answer["userErrors"] == []
    queue = answer["queue"]
    assert queue.pop("pausedAt")
    assert queue.pop("oldestSeconds") < 60
    assert queue == {
        "paused": True, "pausedBy": {"username": "ana"}, "ready": 1, "scheduled": 0, "running": 0, "workers": 1,
        "exact": True,
    }  # fmt: skip
    task = asker.data("{ tasks { nodes { statusText queue { paused } } } }")["tasks"]["nodes"][0]
    assert task == {"statusText": "Queue paused by ana just now.", "queue": {"paused": True}}
    assert asker.data("{ queues { name paused } }")["queues"] == [
        {"name": "default", "paused": True},
        {"name": "gpu", "paused": False},
    ]
    purge = 'mutation { purgeQueue(input: {name: "default"}) { cancelledCount leftCount queue { ready } } }'
    assert asker.data(purge)["purgeQueue"] == {"cancelledCount": 1, "leftCount": 0, "queue": {"ready": 0}}
    resumed = asker.data('mutation { resumeQueue(input: {name: "default"}) { queue { paused pausedBy { id } } } }')
    assert resumed["resumeQueue"]["queue"] == {"paused": False, "pausedBy": None}
    assert asker.data(PAUSE % "name", n="x")["pauseQueue"] == {
        "queue": None,
        "userErrors": [{"message": "There is no queue x.", "code": "NOT_FOUND", "field": ["name"]}],
    }


def test_workers_are_operated_over_graphql(ana: User) -> None:
    a_worker("w1")
    asker = Asker.of(ana, Scope.TASKS_READ, Scope.OPS)
    for act, order in [("drain", "DRAIN"), ("stop", "STOP"), ("resume", None)]:
        query = f"mutation($id: ID!) {{ w: {act}Worker(input: {{id: $id}}) {{ worker {{ id name order draining }} }} }}"
        worker = asker.data(query, id="w1")["w"]["worker"]
        assert (worker["order"], worker["draining"]) == (order, False)
        assert asker.data(query, id=worker["id"])["w"]["worker"]["name"] == "w1"
    gone = 'mutation { drainWorker(input: {id: "w9"}) { worker { id } userErrors { message code } } }'
    errors = [{"message": "There is no worker w9.", "code": "NOT_FOUND"}]
    assert asker.data(gone)["drainWorker"] == {"worker": None, "userErrors": errors}
    (error,) = asker.data(gone.replace("w9", r"w\u0000"))["drainWorker"]["userErrors"]
    assert error["code"] == "NOT_FOUND", "which PostgreSQL could not even look for"


def test_without_the_scope_nothing_is_operated_and_workers_alone_ask_what_is_paused(ana: User, sam: User) -> None:
    assert code_of(Asker.of(ana, Scope.TASKS_WRITE).ask(PAUSE % "name", n="default")) == "FORBIDDEN"
    forbidden = Asker.of(sam, Scope.TASKS_READ, Scope.OPS).data(PAUSE % "name", n="default")["pauseQueue"]
    assert forbidden["userErrors"][0]["code"] == "FORBIDDEN"
    assert not Queue.objects.paused().exists()
    services.pause_queue(user=ana, name="default")
    assert Asker.of(None, Scope.WORKER).data("{ pausedQueues }") == {"pausedQueues": ["default"]}
    assert code_of(Asker.of(ana, Scope.TASKS_READ).ask("{ pausedQueues }")) == "FORBIDDEN"
