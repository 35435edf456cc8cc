"""What GraphQL tells besides the row: code and its faulty line, the timeline, how a kind went, workers of attempts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.utils import timezone

from apps.tasks import kind_figures
from apps.tasks.models import Kind, Task
from tests.fixtures.asking import Asker
from tests.fixtures.statements import Statements
from tests.queues.rows import a_worker
from tests.tasks.rows import a_task, an_attempt
from workers.sandbox.kind import announcement

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TRACEBACK = 'Traceback (most recent call last):\n  File "<code>", line 2, in <module>\nValueError: no\n'
CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
  task { kind { name } params code } userErrors { field message code }
} }"""


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)


@pytest.fixture
def code(kinds: dict[str, Kind], alice: User) -> Kind:
    alice.user_permissions.add(Permission.objects.get(codename="can_run_code"))
    told = {name: announcement()[name] for name in ("name", "doc", "schema", "runs_code")}
    return Kind.objects.create(**told, announced_at=timezone.now())


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def of(asker: Asker, task: Task, fields: str) -> Any:
    return asker.data(f"query ($n: Int) {{ task(number: $n) {{ {fields} }} }}", n=task.pk)["task"]


def a_failure(owner: User) -> Task:
    task = a_task(owner, kind="code.python", params={"code": "x = 1\nx.y"}, status="FAILED", created_at=NOON)
    an_attempt(task, error_type="ValueError", error_message="no.\nmore", traceback=TRACEBACK, started_at=after(1))
    return task


def test_code_and_the_line_that_went_wrong_are_told(asker: Asker, alice: User, code: Kind) -> None:
    assert of(asker, a_failure(alice), "code error { line }") == {"code": "x = 1\nx.y", "error": {"line": 2}}
    plain = a_task(alice, params={"code": "of no code"})
    assert of(asker, plain, "code error { line }") == {"code": None, "error": None}
    gone = a_task(alice, kind="gone", params={"code": "1"})
    assert of(asker, gone, "code") == {"code": "1"}


def test_code_is_created_by_its_short_way(asker: Asker, code: Kind) -> None:
    made = asker.data(CREATE, input={"name": "sum", "code": "1 + 1"})["createTask"]
    assert made["task"] == {"kind": {"name": "code.python"}, "params": {"code": "1 + 1"}, "code": "1 + 1"}
    too_much: list[dict[str, Any]] = [{"kind": "demo.noop"}, {"params": {"code": "2"}}, {"params": []}]
    for more in too_much:
        [error] = asker.data(CREATE, input={"name": "sum", "code": "1", **more})["createTask"]["userErrors"][:1]
        assert (error["field"], error["code"]) == (["code"], "CONFLICT")
    [error] = asker.data(CREATE, input={"name": "sum", "code": "x" * 60_001})["createTask"]["userErrors"]
    assert error["field"] == ["params", "code"]
    assert Task.objects.count() == 1


def test_the_timeline_tells_each_attempt_and_what_is_to_come(asker: Asker, alice: User) -> None:
    due = timezone.now() + timedelta(hours=1)
    task = a_task(alice, created_at=NOON, attempt=2, run_at=due, dispatch_at=due, reason="RETRY_WAIT")
    an_attempt(
        task, status="FAILED", started_at=after(1), finished_at=after(2), error_type="E", error_message="no.\nmore"
    )
    told = of(asker, task, "events { at type actor text }")["events"]
    assert [(each["type"], each["actor"], each["text"]) for each in told] == [
        ("CREATED", "alice", "Created."),
        ("STARTED", "w1", "Attempt 1 began."),
        ("FAILED", "w1", "Attempt 1 failed: E: no."),
        ("DUE", None, "Attempt 2 is due."),
    ]
    assert told[-1]["at"] == due.isoformat()


def test_one_that_was_cancelled_before_it_began_ends_so(asker: Asker, alice: User) -> None:
    task = a_task(alice, created_at=NOON, handed_at=after(1), status="CANCELLED", finished_at=after(2))
    told = of(asker, task, "events { type text }")["events"]
    assert [each["type"] for each in told] == ["CREATED", "HANDED_OVER", "CANCELLED"]


def test_a_kind_tells_how_its_newest_tasks_went(
    asker: Asker, alice: User, bob: User, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_task(alice, status="FINISHED", run_seconds=1_000)
    monkeypatch.setattr(kind_figures, "_OF_ONE", kind_figures._OF_ONE.replace("1000", "22"))
    for seconds in range(1, 21):
        a_task(bob, status="FAILED" if seconds > 15 else "FINISHED", run_seconds=seconds)
    a_task(bob, status="CANCELLED"), a_task(bob)
    asked = "{ kinds { name p50Seconds p95Seconds failureRate } }"
    assert asker.data(asked)["kinds"] == [
        {"name": "demo.coin", "p50Seconds": None, "p95Seconds": None, "failureRate": None},
        {"name": "demo.noop", "p50Seconds": 10.5, "p95Seconds": pytest.approx(19.05), "failureRate": 0.25},
    ]
    Task.objects.filter(run_seconds__gt=1).delete()
    cache.clear()  # they are remembered for some seconds
    assert asker.data(asked)["kinds"][1]["p95Seconds"] == 1


def test_who_only_looks_cannot_share(asker: Asker, alice: User) -> None:
    vera, task = User.objects.create_user("vera"), a_task(alice)
    vera.groups.set(Group.objects.filter(name="Viewer"))
    share = "viewerCan { share }"
    assert of(asker, task, share) == {"viewerCan": {"share": True}}
    assert of(Asker.of(vera), task, share) == {"viewerCan": {"share": False}}


def test_an_attempt_knows_its_worker_and_that_what_it_runs(asker: Asker, alice: User, bob: User) -> None:
    a_worker("w1", environment={"packages": {"b": "2", "a": "1"}})
    a_worker("w2", environment={"packages": {"a": "1", "b": "2"}, "python": "3.12"})
    for owner, worker in ((alice, "w1"), (alice, "w2"), (bob, "w2"), (alice, "gone")):
        an_attempt(a_task(owner, status="RUNNING", worker=worker), worker=worker)
    asked = "attempts { nodes { worker { name environment { packagesHash } running { createdBy { username } } } } }"
    nodes = asker.data(f"{{ tasks(orderBy: {{field: CREATED_AT, direction: ASC}}) {{ nodes {{ {asked} }} }} }}")
    [w1], [w2], [gone] = ([each["worker"] for each in n["attempts"]["nodes"]] for n in nodes["tasks"]["nodes"])
    assert (w1["name"], w2["name"], gone) == ("w1", "w2", None)
    assert w1["environment"] == w2["environment"]
    assert w1["running"] == w2["running"] == [{"createdBy": {"username": "alice"}}]


def test_all_of_it_costs_a_list_as_many_statements_as_one_task(
    asker: Asker, alice: User, code: Kind, statements: Statements
) -> None:
    asked = (
        "code events { text } error { line } viewerCan { share } kind { p50Seconds failureRate }"
        " attempts { nodes { error { line } worker { name environment { packagesHash }"
        " running { number code } others: running { number statusText artifacts { name } } } } }"
    )

    def cost() -> int:
        with statements() as asked_for:
            asker.data(f"{{ tasks {{ nodes {{ {asked} }} }} }}")
        return len(asked_for)

    a_worker("w1", environment={"packages": {}})
    a_failure(alice)
    an_attempt(a_task(alice, status="RUNNING", worker="w1"), worker="w1")
    cost()  # looks the token up
    before = cost()
    for n in range(20):
        a_worker(f"v{n}", environment={"packages": {"n": str(n)}})
        an_attempt(a_failure(alice), number=2, worker=f"v{n}")
        an_attempt(a_task(alice, status="RUNNING", worker=f"v{n}"), worker=f"v{n}")
    assert cost() == before
