"""Whatever changes something is in the audit log, by page and over GraphQL alike: none is forgotten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from graphql_relay import to_global_id

from apps.accounts import links, tokens
from apps.accounts.permissions import Scope
from apps.audit.models import Entry
from apps.queues.models import Queue, Worker
from apps.tasks import sweeps
from apps.tasks.models import Share, Sweep, Task
from config.schema import schema
from tests.fixtures.asking import Asker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.contrib.auth.models import User

    from apps.tasks.models import Kind

CAUSE = "0123456789abcdef"
FAILED, WAITING = 1, 2


@pytest.fixture
def failed_at(ana: User, noop: Kind) -> datetime:
    """When the failed task ended; besides there are one that waits, a queue, a worker."""
    now = timezone.now()
    common = {"kind": "demo.noop", "created_by": ana, "created_at": now}
    Task.objects.create(pk=FAILED, status="FAILED", cause=CAUSE, finished_at=now, **common)
    Task.objects.create(pk=WAITING, status="QUEUEING", dispatch_at=now, **common)
    Queue.objects.create(name="default")
    Worker.objects.create(name="w", host="h", pid=1, concurrency=1, started_at=now, last_seen_at=now)
    return now


def told(since: int = 0) -> list[tuple[str, str, int]]:
    return list(Entry.objects.filter(pk__gt=since).order_by("pk").values_list("act", "object", "count"))


def filled(expected: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """With the numbers of what was made: no database counts anew for each test."""
    task = Task.objects.filter(pk__gt=WAITING).order_by("pk").values_list("pk", flat=True).first()
    sweep = Sweep.objects.values_list("pk", flat=True).first()
    return [(act, what.format(task=task, sweep=sweep), count) for act, what, count in expected]


def newest() -> int:
    entry = Entry.objects.order_by("-pk").first()
    return entry.pk if entry else 0


NEW = {"name": "n", "kind": "demo.noop"}
GROUP: dict[str, Any] = {"fingerprint": CAUSE, "count": 1}
BULK = {"action": "DELETE", "query": "status:FAILED", "expectedCount": 1}
# What each mutation is sent, and what of it is in the log.
MUTATIONS: dict[str, tuple[Any, list[tuple[str, str, int]]]] = {
    "createTask": (NEW, [("task.create", "task {task}", 1)]),
    "createTasks": ([NEW] * 7, [("task.create", "task {task}", 7)]),
    "cancelTask": ({"id": WAITING}, [("task.cancel", "task 2", 1)]),
    "retryTask": ({"id": FAILED}, [("task.retry", "task 1", 1)]),
    "deleteTask": ({"id": FAILED}, [("task.delete", "task 1", 1)]),
    "stopBulkOperation": ({"id": "{sweep}"}, [("bulk.stop", "bulk {sweep}", 1)]),
    "bulkTasks": (BULK, [("bulk.delete", "bulk {sweep}", 1)]),
    "retryFailureGroup": (GROUP, [("failures.retry", f"cause {CAUSE}", 1)]),
    "deleteFailureGroup": (GROUP, [("failures.delete", f"cause {CAUSE}", 1)]),
    "pauseQueue": ({"name": "default"}, [("queue.pause", "queue default", 1)]),
    "resumeQueue": ({"name": "default"}, [("queue.resume", "queue default", 1)]),
    "updateQueue": ({"name": "default", "concurrencyLimit": 2}, [("queue.limit", "queue default", 1)]),
    "purgeQueue": ({"name": "default"}, [("queue.purge", "queue default", 1)]),
    "drainWorker": ({"id": "w"}, [("worker.drain", "worker w", 1)]),
    "stopWorker": ({"id": "w"}, [("worker.stop", "worker w", 1)]),
    "resumeWorker": ({"id": "w"}, [("worker.resume", "worker w", 1)]),
}
# What processes do all the time is no act of a person.
OF_PROCESSES = {"recordEvents", "claimTask"}


def test_every_mutation_is_told_here() -> None:
    mutation = schema.graphql_schema.mutation_type
    assert mutation is not None
    assert set(mutation.fields) == MUTATIONS.keys() | OF_PROCESSES


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mutation_writes_one_entry(name: str, ana: User, failed_at: datetime) -> None:
    if name == "resumeQueue":
        Queue.objects.update(paused_at=failed_at)
    asker = Asker.of(ana, Scope.TASKS_WRITE, Scope.OPS)
    given, expected = MUTATIONS[name]
    if name == "stopBulkOperation":
        sweep = sweeps.begin(user=ana, act="retry", text="", zone="UTC", expected=2)
        given = {"id": to_global_id("BulkOperation", sweep.pk)}
    if given is GROUP:
        given = {**GROUP, "lastSeenAt": failed_at.isoformat()}
    field = schema.graphql_schema.mutation_type.fields[name]
    before = newest()
    answer = asker.ask(
        f"mutation($input: {field.args['input'].type}) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}",
        input=given,
    )
    assert answer == {"data": {name: {"userErrors": []}}}
    assert told(before) == filled(expected)
    entry = Entry.objects.get(pk__gt=before)
    assert (entry.name, entry.person, entry.way, entry.address) == ("ana", ana.pk, "token", "127.0.0.1")
    assert entry.token == asker.token[:12]


@pytest.mark.parametrize("scope", [Scope.SINK, Scope.WORKER])
def test_what_processes_do_all_the_time_is_not_told(scope: Scope, failed_at: datetime) -> None:
    asker, before = Asker.of(None, scope), newest()
    if scope is Scope.SINK:
        asker.data("mutation { recordEvents(input: {batches: []}) { verdicts } }")
    else:
        asker.data('mutation { claimTask(input: {task: 2, attempt: 1, worker: "w"}) { verdict } }')
    assert told(before) == []


TYPED = {"name": "n", "kind": "demo.noop"}
ONE, OTHER = {"number": FAILED}, {"number": WAITING}
SURE = {"confirmed": "1"}
# Of each page that takes a form what it is sent, and what of it is in the log; several of one for what comes before.
PAGES: dict[str, tuple[dict[str, Any], list[tuple[str, str, int]]]] = {
    "tasks:create": (TYPED, [("task.create", "task {task}", 1)]),
    "tasks:retry": (ONE, [("task.retry", "task 1", 1)]),
    "tasks:cancel": ({**OTHER, **SURE}, [("task.cancel", "task 2", 1)]),
    "tasks:delete": ({**ONE, **SURE}, [("task.delete", "task 1", 1)]),
    "tasks:priority": ({**OTHER, "priority": "7"}, [("task.priority", "task 2", 1)]),
    "tasks:everything": ({"q": "", "act": "retry", "count": "2"}, [("bulk.retry", "bulk {sweep}", 2)]),
    "tasks:sweep_stop": ({}, [("bulk.stop", "bulk {sweep}", 1)]),
    "failures:retry": ({"shown": "1@{failed_at}", **SURE}, [("failures.retry", f"cause {CAUSE}", 1)]),
    "failures:delete": ({"shown": "1@{failed_at}", **SURE}, [("failures.delete", f"cause {CAUSE}", 1)]),
    "queues:pause": ({}, [("queue.pause", "queue default", 1)]),
    "queues:resume": ({}, [("queue.resume", "queue default", 1)]),
    "queues:limits": ({"concurrency_limit": "2"}, [("queue.limit", "queue default", 1)]),
    "queues:purge": ({"typed": "default"}, [("queue.purge", "queue default", 1)]),
    "workers:drain": ({"name": "w"}, [("worker.drain", "worker w", 1)]),
    "workers:stop": ({"name": "w", **SURE}, [("worker.stop", "worker w", 1)]),
    "workers:resume": ({"name": "w"}, [("worker.resume", "worker w", 1)]),
    "logout": ({}, [("sign-out", "person ana", 1)]),
    "login": ({"username": "alice", "password": "wrong"}, [("sign-in", "person alice", 1)]),
}
WORDS = "some of her newer words"
TWICE = {"new_password1": WORDS, "new_password2": WORDS}
# Pages about people, tokens and links, where one form may do several things.
OF_PEOPLE: dict[str, tuple[dict[str, Any], set[str]]] = {
    "make_token": ({"name": "n", "scopes": "tasks:read", "days": "30"}, {"token.make"}),
    "revoke_token": ({}, {"token.revoke"}),
    "change_password": (TWICE, {"person.change", "session.end"}),
    "end_sessions": ({}, {"session.end"}),
    "people": ({"username": "vera", "role": "Viewer"}, {"person.add", "link.make"}),
    "person": ({"role": "Viewer"}, {"person.rights"}),
    "switch": ({"to": "off"}, {"person.change"}),
    "invite": ({}, {"link.make"}),
    "join": (TWICE, {"person.change", "sign-in"}),
    "tasks:shares": ({"days": "7"}, {"share.make"}),
    "tasks:share_revoke": ({}, {"share.revoke"}),
}
NO_ACTS = {
    "tasks:look",  # how somebody wants to see the table
    "tasks:again",  # leads to a form
    "graphql",  # each mutation by itself, above
    "artifacts:chunks",  # the sink's
}


def addresses(patterns: list[Any], start: str = "/", space: str = "") -> Iterator[tuple[str, str]]:
    """Name and address of every page but the admin's, which the signals of what it saves tell of."""
    for pattern in patterns:
        route = re.sub(r"\(\?P<(\w+)>[^)]*\)|<\w+:(\w+)>", r"<\1\2>", str(pattern.pattern)).strip("^$").replace("^", "")
        if isinstance(pattern, URLResolver) and pattern.app_name != "admin":
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from addresses(pattern.url_patterns, start + route, space + inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            filled = re.sub(r"<(\w+)>", lambda found: VALUES.get(found[1], "default"), start + route)
            yield space + pattern.name, filled


VALUES = {"number": "1", "share": "1", "attempt_number": "1", "cause": CAUSE}
ADDRESSES = dict(addresses(get_resolver().url_patterns))


def test_every_page_that_takes_a_form_is_told_here(desk: Client, ana: User, failed_at: datetime) -> None:
    takes = set()
    for name, address in ADDRESSES.items():
        desk.force_login(ana)  # one of them signs out
        if desk.post(address).status_code != 405:
            takes.add(name)
    assert takes == PAGES.keys() | OF_PEOPLE.keys() | NO_ACTS


@pytest.mark.parametrize("name", PAGES)
def test_each_page_writes_what_its_mutation_does(
    name: str, desk: Client, alice: User, ana: User, failed_at: datetime
) -> None:
    given, expected = PAGES[name]
    if name == "queues:resume":
        Queue.objects.update(paused_at=failed_at)
    address = ADDRESSES[name]
    if name == "tasks:sweep_stop":
        sweep = sweeps.begin(user=ana, act="retry", text="", zone="UTC", expected=2)
        address = address.replace("/1/", f"/{sweep.pk}/")
    if name == "login":
        desk.logout()
    before = newest()
    response = desk.post(
        address, {key: str(value).format(failed_at=failed_at.isoformat()) for key, value in given.items()}
    )
    assert response.status_code in (302, 422 if name == "login" else 302), response.content.decode()
    assert told(before) == filled(expected)
    entry = Entry.objects.get(pk__gt=before)
    assert (entry.way, entry.address, entry.token) == ("page", "192.0.2.7", "")
    assert (entry.name, entry.result) == (("", "failed") if name == "login" else ("ana", "done"))


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_what_is_done_with_people_tokens_and_links_is_told(
    name: str, desk: Client, alice: User, ana: User, failed_at: datetime
) -> None:
    given, expected = OF_PEOPLE[name]
    ana.is_superuser = True
    ana.set_unusable_password()
    ana.save()
    desk.force_login(ana)
    Client().force_login(ana)  # another browser
    token, _ = tokens.make(user=ana, scopes=[Scope.TASKS_READ])
    share = Share.objects.create(task_id=FAILED, hash="x", created_by=ana, expires_at=failed_at)
    numbers = {"revoke_token": token.pk, "tasks:share_revoke": share.pk, "person": alice.pk, "switch": alice.pk}
    address = _numbered(ADDRESSES[name], {"invite": alice.pk, **numbers}.get(name))
    if name == "join":
        address = f"/join/{links.invite(alice)}"
    before = newest()
    assert desk.post(address, given).status_code in (201, 302, 303)
    assert {act for act, _, _ in told(before)} == expected
    assert set(Entry.objects.filter(pk__gt=before).values_list("way", "address")) == {("page", "192.0.2.7")}


def _numbered(address: str, number: int | None) -> str:
    """With this number for the last 1."""
    start, _, end = address.rpartition("/1/")
    return address if number is None else f"{start}/{number}/{end}"
