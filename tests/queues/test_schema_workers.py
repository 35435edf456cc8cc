"""Workers over GraphQL."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from graphql_relay import to_global_id

from apps.accounts.permissions import Scope
from tests.fixtures.asking import Asker, code_of
from tests.fixtures.statements import Statements
from tests.queues.rows import PYTHON, a_task, a_worker

NAMES = "{ workers { name } }"


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice, Scope.TASKS_READ)


def workers(asker: Asker, fields: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asker.data(f"{{ workers {{ {fields} }} }}")["workers"]
    return found


def test_a_worker_is_told_with_all_that_it_reports(asker: Asker) -> None:
    lacks = {"sandbox": "reduced", "sandbox_missing": ["No Landlock."], "sandbox_fix": "Get one."}
    stored = a_worker("w1", pid=4711, queues=["a", "b"], rss_bytes=2**33, environment={**PYTHON, **lacks})
    fields = "id name host pid alive queues concurrency running { number } startedAt lastSeenAt draining rssBytes"
    kept = "environment { id python packages sandbox sandboxMissing sandboxFix }"
    (worker,) = workers(asker, f"{fields} {kept}")
    assert worker.pop("startedAt") == worker.pop("lastSeenAt")
    assert worker == {
        "id": to_global_id("Worker", "w1"),
        "name": "w1",
        "host": "h",
        "pid": 4711,
        "alive": True,
        "queues": ["a", "b"],
        "concurrency": 2,
        "running": [],
        "draining": False,
        "rssBytes": 2**33,
        "environment": {
            "id": stored.environment_id,
            "python": "3.11.2",
            "packages": {"numpy": "2.0.0", "pandas": "2.2.1"},
            "sandbox": "reduced",
            "sandboxMissing": ["No Landlock."],
            "sandboxFix": "Get one.",
        },
    }


def test_an_older_worker_is_told_with_what_it_announced(asker: Asker) -> None:
    a_worker("bare", pid=2**40)
    a_worker("old", environment={"sandbox": "full"})
    kept = "environment { python packages sandbox sandboxMissing sandboxFix }"
    bare, old = workers(asker, f"pid rssBytes {kept}")
    assert bare == {"pid": None, "rssBytes": None, "environment": None}
    assert old["environment"] == {
        "python": None, "packages": {}, "sandbox": "full", "sandboxMissing": [], "sandboxFix": None,
    }  # fmt: skip


def test_those_lost_stand_last_and_those_that_left_do_not(asker: Asker) -> None:
    a_worker("lost", seen_seconds_ago=60)
    a_worker("forgotten", seen_seconds_ago=3_601)
    a_worker("left", leaving=True)
    a_worker("here", host="z")
    assert [(each["name"], each["alive"]) for each in workers(asker, "name alive")] == [("here", True), ("lost", False)]


def test_only_what_the_caller_may_see_is_among_what_it_runs(asker: Asker, alice: User, sam: User) -> None:
    a_worker(concurrency=9)
    mine, secret = a_task(alice), a_task(sam, name="secret")
    a_task(alice, status="FINISHED")
    a_task(alice, worker="other")
    asked = "running { number name }"
    assert workers(asker, asked)[0]["running"] == [{"number": mine.pk, "name": "a task"}]
    seen_by_staff = workers(Asker.of(sam, Scope.TASKS_READ), asked)[0]["running"]
    assert [task["number"] for task in seen_by_staff] == [mine.pk, secret.pk]


def test_a_worker_has_an_id(asker: Asker, alice: User) -> None:
    a_worker("w1")
    task = a_task(alice, name="mine")
    query = (
        "query ($id: ID!) { node(id: $id) { ... on Worker { name alive running { name createdBy { username } } } } }"
    )
    found = asker.data(query, id=to_global_id("Worker", "w1"))["node"]
    assert found == {
        "name": "w1", "alive": True, "running": [{"name": task.name, "createdBy": {"username": "alice"}}],
    }  # fmt: skip
    assert asker.data(query, id=to_global_id("Worker", "nobody"))["node"] is None


@pytest.mark.parametrize("scope", [Scope.SINK, Scope.WORKER, Scope.OPS])
def test_no_other_scope_lets_anybody_see_workers(sam: User, scope: Scope) -> None:
    asker = Asker.of(sam if scope == Scope.OPS else None, scope)
    assert code_of(asker.ask(NAMES)) == "FORBIDDEN"
    assert code_of(asker.ask(f'{{ node(id: "{to_global_id("Worker", "w1")}") {{ id }} }}')) == "FORBIDDEN"


@pytest.mark.parametrize("scope", [Scope.TASKS_READ, Scope.TASKS_WRITE])
def test_whoever_may_read_tasks_may_see_workers(alice: User, scope: Scope) -> None:
    a_worker()
    assert workers(Asker.of(alice, scope), "name") == [{"name": "w1"}]


def test_a_person_in_a_browser_may_and_a_stranger_may_not(client: Any, alice: User) -> None:
    def ask() -> Any:
        return client.post("/graphql/", {"query": NAMES}, content_type="application/json").json()

    a_worker()
    assert code_of(ask()) == "UNAUTHENTICATED"
    client.force_login(alice)
    assert ask()["data"]["workers"] == [{"name": "w1"}]


def test_many_workers_cost_as_many_queries_as_one(asker: Asker, alice: User, statements: Statements) -> None:
    def queries(count: int) -> int:
        for n in range(count):
            a_worker(f"w{n}", environment={"python": f"3.{n}"}, seen_seconds_ago=30 * (n % 2))
            a_task(alice, f"w{n}")
        with statements() as asked:
            assert len(workers(asker, fields)) == count
        return len(asked)

    fields = "name alive environment { python } running { name statusText createdBy { username } viewerCan { retry } }"
    workers(asker, "name")  # notes the use of the token
    assert queries(1) == queries(30)
