"""What people have no right to is in the audit log as refused, by every door, and nobody fills the disk by trying."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from graphql_relay import to_global_id

from apps.accounts.permissions import Scope
from apps.audit import refusals
from apps.audit.models import Entry, Refusals
from apps.queues.models import Queue
from apps.tasks import services, sweeps
from apps.tasks.models import Kind
from config.graphql_audit import ACTS
from config.schema import schema
from tests.fixtures.asking import Asker
from tests.tasks.rows import a_task

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 'mutation { pauseQueue(input: {name: "default"}) { userErrors { code } } }'


@pytest.fixture
def vera(db: None) -> User:
    vera = User.objects.create_user("vera")
    vera.groups.set(Group.objects.filter(name="Viewer"))
    return vera


@pytest.fixture
def code(db: None) -> Kind:
    return Kind.objects.create(
        name="code.python", schema={"type": "object"}, announced_at=timezone.now(), runs_code=True
    )


def told() -> list[tuple[str, str, str, int]]:
    refused = Entry.objects.filter(result="refused").order_by("pk")
    return list(refused.values_list("name", "act", "object", "count"))


def page(address: str, **data: Any) -> Callable[[User], Any]:
    def post(user: User) -> Any:
        client = Client()
        client.force_login(user)
        return client.post(address, data).status_code

    return post


def graphql(document: str, *scopes: Scope) -> Callable[[User], Any]:
    return lambda user: Asker.of(user, *scopes).ask(document)


BULK = 'mutation { bulkTasks(input: {action: DELETE, query: "", expectedCount: 1}) { userErrors { code } } }'
RECORD = "mutation { recordEvents(input: {batches: []}) { verdicts } }"
# By somebody who looks only, and by somebody without a permission beside their role.
TRIED: dict[str, tuple[str, Callable[[User], Any], tuple[str, str]]] = {
    "create": ("vera", page("/tasks/new/", name="n", kind="demo.noop"), ("task.create", "")),
    "create, by token": (
        "vera",
        graphql('mutation { createTask(input: {name: "n", kind: "demo.noop"}) { created } }'),
        ("task.create", ""),
    ),
    "cancel": ("vera", page("/tasks/cancel/", number=1, confirmed=1), ("task.cancel", "task 1")),
    "sweep": ("vera", page("/tasks/all/", q="", act="retry", count=1), ("bulk.retry", "")),
    "sweep, by token": ("vera", graphql(BULK), ("bulk.delete", "")),
    "share": ("vera", page("/tasks/1/shares/", days=7), ("share.make", "task 1")),
    "pause": ("alice", page("/queues/default/pause/"), ("queue.pause", "queue default")),
    "pause, by token": ("alice", graphql(PAUSE, Scope.TASKS_WRITE), ("queue.pause", "queue default")),
    "code": ("alice", page("/tasks/new/", name="n", kind="code.python"), ("task.create", "")),
    "retry code": ("alice", page("/tasks/retry/", number=1), ("task.retry", "task 1")),
    "add a person": ("alice", page("/people/", username="eve", role="Administrator"), ("person.add", "")),
    "forge outcomes": ("alice", graphql(RECORD), ("events.record", "")),
}  # fmt: skip


@pytest.mark.parametrize("name", TRIED)
def test_what_somebody_may_not_is_told_as_refused(name: str, alice: User, vera: User, noop: Kind, code: Kind) -> None:
    who, attempt, (act, what) = TRIED[name]
    a_task(alice, pk=1, kind="code.python", status="FAILED" if "retry" in name else "QUEUEING")
    Queue.objects.create(name="default")
    attempt({"alice": alice, "vera": vera}[who])
    assert told() == [(who, act, what, 1)]


def test_each_mutation_is_told_under_an_act() -> None:
    assert schema.graphql_schema.mutation_type is not None
    assert set(schema.graphql_schema.mutation_type.fields) == set(ACTS)


def test_whoever_tries_in_a_loop_adds_two_entries_a_minute(alice: User) -> None:
    asker = Asker.of(alice)
    for _ in range(30):
        asker.ask(PAUSE)
    assert told() == [("alice", "queue.pause", "queue default", 1)]
    assert not refusals.settle()
    assert len(told()) == 1
    Refusals.objects.update(since=timezone.now() - timedelta(seconds=61))
    refusals.settle()
    assert told()[1:] == [("alice", "queue.pause", "", 29)]  # there may have been many objects
    assert Entry.objects.latest("pk").token == asker.token[:12]
    assert not Refusals.objects.exists()


def test_tries_from_elsewhere_and_by_another_way_stand_by_themselves(alice: User) -> None:
    Queue.objects.bulk_create([Queue(name="gpu"), Queue(name="cpu")])
    client = Client()
    client.force_login(alice)
    for queue, address in (("gpu", "10.0.0.1"), ("cpu", "10.6.6.6"), ("gpu", "10.6.6.6")):
        client.post(f"/queues/{queue}/pause/", REMOTE_ADDR=address)
    Asker.of(alice).ask(PAUSE)
    refused = Entry.objects.filter(result="refused").order_by("pk").values_list("object", "address", "way")
    assert list(refused) == [
        ("queue gpu", "10.0.0.1", "page"), ("queue cpu", "10.6.6.6", "page"), ("queue default", "127.0.0.1", "token"),
    ]  # fmt: skip


def test_a_task_is_named_by_its_number_by_either_door(alice: User, vera: User) -> None:
    task = a_task(alice)
    Asker.of(vera).ask(
        f'mutation {{ cancelTask(input: {{id: "{to_global_id("Task", task.pk)}"}}) {{ userErrors {{ code }} }} }}'
    )
    assert told() == [("vera", "task.cancel", f"task {task.pk}", 1)]


def test_a_minute_later_it_is_told_anew_with_what_came_in_between(alice: User) -> None:
    asker = Asker.of(alice)
    for _ in range(3):
        asker.ask(PAUSE)
    Refusals.objects.update(since=timezone.now() - timedelta(seconds=61))
    asker.ask(PAUSE)
    assert [count for *_, count in told()] == [1, 2, 1]


def test_one_persons_refusals_hide_nobody_elses(alice: User, sam: User) -> None:
    for user in (alice, sam):
        Asker.of(user).ask(PAUSE)
        Asker.of(user).ask(PAUSE.replace("pause", "resume"))
    assert [(name, act) for name, act, *_ in told()] == [
        ("alice", "queue.pause"), ("alice", "queue.resume"), ("sam", "queue.pause"), ("sam", "queue.resume"),
    ]  # fmt: skip


def test_what_a_sweep_leaves_as_it_is_is_no_refusal_of_its_own(alice: User, code: Kind) -> None:
    a_task(alice, kind="code.python", status="FAILED", dispatch_at=None)
    sweeps.begin(user=alice, act="retry", text="", zone="UTC", expected=1)
    while sweeps.advance():
        pass
    assert told() == []
    assert services.retry(user=alice, numbers=[7]).done == []
    assert told() == []
