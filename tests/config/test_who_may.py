"""Who may do what, by which door (page, fragment, GraphQL): tried on a task of alice's, told by what became of it.

alice owns it, bob is another member, vera a viewer, otto an operator, sam staff without any permission, ana staff who
operates; "reads" and "writes" are alice's tokens with that scope alone, sink and worker those of the processes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from apps.accounts import tokens
from apps.accounts.permissions import Scope
from apps.queues.models import Queue, Worker
from apps.tasks.models import Clock, Kind, Sweep, Task
from tests.fixtures.asking import Asker
from tests.queues.rows import a_worker
from tests.tasks.rows import a_task, an_attempt

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
CAUSE = "0123456789abcdef"
NAME = "a secret name"
PERSONAL = (Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.OPS)
TOKENS: Final = {
    "reads": ("alice", [Scope.TASKS_READ]),
    "writes": ("alice", [Scope.TASKS_WRITE]),
    "sink": ("", [Scope.SINK]),
    "worker": ("", [Scope.WORKER]),
}
PEOPLE: Final = ("nobody", "alice", "bob", "vera", "otto", "sam", "ana")
ACTING: Final = "alice otto sam ana writes"


@pytest.fixture(autouse=True)
def _cast(db: None) -> None:
    Clock.objects.get_or_create(id=1)
    for name, staff in {"alice": False, "bob": False, "vera": False, "otto": False, "sam": True, "ana": True}.items():
        User.objects.create_user(name, is_staff=staff)
    person("vera").groups.set(Group.objects.filter(name="Viewer"))
    person("otto").groups.set(Group.objects.filter(name="Operator"))
    person("ana").user_permissions.add(Permission.objects.get(codename="can_operate"))
    Kind.objects.create(name="demo.noop", schema={"type": "object"}, announced_at=timezone.now())
    Kind.objects.create(name="code.python", schema={"type": "object"}, announced_at=timezone.now(), runs_code=True)


def person(name: str) -> User:
    return User.objects.get(username=name)


class Try:
    """What one of the cast does by one door: `page`, `fragment` or `graphql`."""

    def __init__(self, who: str, door: str) -> None:
        self.who, self.door = who, door
        self._client = Client()
        if who in PEOPLE[1:]:
            self._client.force_login(person(who))

    def get(self, address: str) -> Any:
        return self._client.get(address, headers=self._headers)

    def post(self, address: str, **data: Any) -> Any:
        return self._client.post(address, data, headers=self._headers)

    def ask(self, query: str, **variables: Any) -> Any:
        """What the first field answers; None when nothing is."""
        if self.who == "nobody":
            return self._client.post("/graphql/", {"query": query}, content_type="application/json").json().get("data")
        owner, scopes = TOKENS.get(self.who, (self.who, PERSONAL))
        answer = Asker(tokens.make(user=person(owner) if owner else None, scopes=scopes)[1]).ask(query, **variables)
        return next(iter((answer.get("data") or {}).values()), None)

    @property
    def _headers(self) -> dict[str, str]:
        return HTMX if self.door == "fragment" else {}


def sees(by: Try, task: Task) -> bool:
    if by.door == "graphql":
        return bool(by.ask("query($n: Int!) { task(number: $n) { name } }", n=task.pk) == {"name": NAME})
    return NAME in by.get(f"/tasks/{task.pk}/{'changes/' if by.door == 'fragment' else ''}").content.decode()


def finds(by: Try, _task: Task) -> bool:
    if by.door == "graphql":
        return NAME in str(by.ask("{ tasks { nodes { name } } }"))
    return NAME in by.get("/tasks/changes/" if by.door == "fragment" else "/tasks/").content.decode()


def finds_failures(by: Try, _task: Task) -> bool:
    if by.door == "graphql":
        return CAUSE in str(by.ask("{ failureGroups { fingerprint } }"))
    return CAUSE in by.get("/failures/changes/" if by.door == "fragment" else "/failures/").content.decode()


def creates(by: Try, _task: Task, *, kind: str = "demo.noop") -> bool:
    before = Task.objects.count()
    if by.door == "graphql":
        by.ask("mutation($i: CreateTaskInput!) { createTask(input: $i) { created } }", i={"name": "n", "kind": kind})
    else:
        by.post("/tasks/new/", name="n", kind=kind, shown=kind)
    return Task.objects.count() > before


def acts(by: Try, task: Task, *, word: str) -> bool:
    before = Task.objects.filter(pk=task.pk).values_list("status", "priority", "attempt").first()
    if by.door == "graphql":
        more = ", priority: 5" if word == "priority" else ""
        action = "SET_PRIORITY" if word == "priority" else word.upper()
        by.ask(f"mutation {{ bulkTasks(input: {{action: {action}, ids: [{task.pk}]{more}}}) {{ affectedCount }} }}")
        if word != "priority":
            by.ask(f"mutation {{ {word}Task(input: {{id: {task.pk}}}) {{ userErrors {{ code }} }} }}")
    else:
        by.post(f"/tasks/{word}/", number=task.pk, priority=5, confirmed=1)
    return Task.objects.filter(pk=task.pk).values_list("status", "priority", "attempt").first() != before


def sweeps(by: Try, _task: Task) -> bool:
    if by.door == "graphql":
        by.ask('mutation { bulkTasks(input: {action: RETRY, query: "", expectedCount: 1}) { operation } }')
    else:
        by.post("/tasks/all/", q="", act="retry", count=1)
    return Sweep.objects.exists()


def retries_failures(by: Try, task: Task) -> bool:
    assert task.finished_at
    at = task.finished_at.isoformat()
    if by.door == "graphql":
        shown = {"fingerprint": CAUSE, "count": 1, "lastSeenAt": at}
        by.ask("mutation($i: FailureGroupActionInput!) { retryFailureGroup(input: $i) { doneCount } }", i=shown)
    else:
        by.post(f"/failures/{CAUSE}/retry/", shown=f"1@{at}", confirmed=1)
    return Task.objects.get(pk=task.pk).status != "FAILED"


def pauses(by: Try, _task: Task) -> bool:
    if by.door == "graphql":
        by.ask('mutation { pauseQueue(input: {name: "default"}) { userErrors { code } } }')
    else:
        by.post("/queues/default/pause/")
    return Queue.objects.paused().exists()


def limits(by: Try, _task: Task) -> bool:
    if by.door == "graphql":
        by.ask('mutation { updateQueue(input: {name: "default", concurrencyLimit: 2}) { userErrors { code } } }')
    else:
        by.post("/queues/default/limits/", concurrency_limit=2)
    return Queue.objects.filter(concurrency_limit=2).update(concurrency_limit=None) > 0


def purges(by: Try, task: Task) -> bool:
    if by.door == "graphql":
        by.ask('mutation { purgeQueue(input: {name: "default"}) { cancelledCount } }')
    else:
        by.post("/queues/default/purge/", typed="default")
    return Task.objects.get(pk=task.pk).status == "CANCELLED"


def drains(by: Try, _task: Task) -> bool:
    a_worker()
    if by.door == "graphql":
        by.ask('mutation { drainWorker(input: {id: "w1"}) { userErrors { code } } }')
    else:
        by.post("/workers/drain/", name="w1")
    return Worker.objects.get(name="w1").order == "DRAIN"


# The act, the status of the task it is tried on, who may. Everybody else may not.
MATRIX: Final[dict[str, tuple[Callable[..., bool], str, str]]] = {
    "see it": (sees, "FINISHED", f"vera reads {ACTING}"),
    "find it": (finds, "FINISHED", f"vera reads {ACTING}"),
    "find its cause": (finds_failures, "FAILED", f"vera reads {ACTING}"),
    "create a task": (creates, "FINISHED", f"bob {ACTING}"),
    "create code": (partial(creates, kind="code.python"), "FINISHED", ""),
    "retry": (partial(acts, word="retry"), "FAILED", ACTING),
    "cancel": (partial(acts, word="cancel"), "QUEUEING", ACTING),
    "delete": (partial(acts, word="delete"), "FINISHED", ACTING),
    "prioritise": (partial(acts, word="priority"), "QUEUEING", ACTING),
    "retry all that match": (sweeps, "FAILED", ACTING),
    "retry all of a cause": (retries_failures, "FAILED", ACTING),
    "pause a queue": (pauses, "QUEUEING", "otto ana"),
    "limit a queue": (limits, "QUEUEING", "otto ana"),
    "purge a queue": (purges, "QUEUEING", "otto ana"),
    "drain a worker": (drains, "QUEUEING", "otto ana"),
}


@pytest.mark.parametrize("door", ["page", "fragment", "graphql"])
@pytest.mark.parametrize("act", MATRIX)
def test_each_may_do_what_the_table_says(act: str, door: str) -> None:
    attempt, status, allowed = MATRIX[act]
    cast = (*PEOPLE, *TOKENS) if door == "graphql" else PEOPLE
    assert {who for who in cast if tried(attempt, who, door, status)} == set(allowed.split()) & set(cast)


def tried(attempt: Callable[..., bool], who: str, door: str, status: str) -> bool:
    """On a task of its own, with nothing left of the one before."""
    Task.objects.all().delete()
    Sweep.objects.all().delete()
    Queue.objects.update(paused_at=None)
    Worker.objects.all().delete()
    Queue.objects.get_or_create(name="default")
    over = {"finished_at": timezone.now()} if status in ("FINISHED", "FAILED") else {"dispatch_at": timezone.now()}
    task = a_task(person("alice"), name=NAME, status=status, cause=CAUSE if status == "FAILED" else None, **over)
    if status == "FAILED":
        an_attempt(task, error_type="ValueError")
    return attempt(Try(who, door), task)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/queues/", "alice bob vera otto sam ana"),
        ("/workers/", "alice bob vera otto sam ana"),
        ("/overview/", "alice bob vera otto sam ana"),
        ("/account/", "alice bob vera otto sam ana"),
        ("/tasks/new/", "alice bob otto sam ana"),
        ("/tasks/all/", "alice bob otto sam ana"),
        ("/people/", ""),
        ("/account/tokens/all/", ""),
        ("/admin/auth/user/", ""),
    ],
)
def test_each_comes_to_the_pages_that_the_table_says(address: str, allowed: str) -> None:
    assert {who for who in PEOPLE if Try(who, "page").get(address).status_code == 200} == set(allowed.split())


@pytest.mark.parametrize("who", ["alice", "vera", "otto", "ana"])
def test_only_staff_see_the_schema(who: str) -> None:
    client = Client()
    client.force_login(person(who))
    asked = client.post("/graphql/", {"query": "{ __schema { types { name } } }"}, content_type="application/json")
    assert (asked.status_code == 200) == (who == "ana")
    assert Try(who, "graphql").ask("{ __schema { types { name } } }") is None


def test_a_viewer_is_shown_nothing_to_press(client: Client) -> None:
    task = a_task(person("alice"), name=NAME, status="FAILED", cause=CAUSE, finished_at=timezone.now())
    an_attempt(task, error_type="ValueError")
    client.force_login(person("vera"))
    for address in ("/tasks/", f"/tasks/{task.pk}/", "/failures/", f"/failures/{CAUSE}/", "/queues/", "/workers/"):
        page = client.get(address).content.decode().split("<main")[1]
        assert "formaction" not in page, address
        assert "/tasks/new/" not in page, address
        assert "/tasks/delete/" not in page.replace('id="tasks-form"', "").partition("<table")[2], address
