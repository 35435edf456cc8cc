"""Changing tasks over GraphQL."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from graphql_relay import to_global_id

from apps.accounts.permissions import Scope
from apps.queues import report
from apps.queues.models import Worker
from apps.tasks.lifecycle import Status
from apps.tasks.models import Kind, Task
from tests.fixtures.asking import Asker, code_of
from tests.fixtures.statements import Statements
from workers.messages import VERSION

pytestmark = pytest.mark.django_db

CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
    task { number name status reason params createdBy { username } runAfter }
    userErrors { field message code }
} }"""
CREATE_MANY = """mutation ($input: [CreateTaskInput!]!) { createTasks(input: $input) {
    tasks { number name } userErrors { field message code }
} }"""
DELETE = "mutation ($id: ID!) { deleteTask(input: {id: $id}) { deletedTaskId userErrors { field message code } } }"
RECORD = """mutation ($batches: [EventBatch!]!) { recordEvents(input: {batches: $batches}) {
    verdicts userErrors { field message code }
} }"""
CLAIM = "mutation ($input: ClaimTaskInput!) { claimTask(input: $input) { verdict } }"


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)


@pytest.fixture
def sink(db: None) -> Asker:
    return Asker.of(None, Scope.SINK)


def a_draft(**fields: Any) -> dict[str, Any]:
    return {"name": "a task", "kind": "demo.noop", **fields}


def problems(payload: dict[str, Any]) -> list[tuple[list[str], str]]:
    return [(error["field"], error["code"]) for error in payload["userErrors"]]


def a_task(user: User, **fields: Any) -> Task:
    return Task.objects.create(name="n", kind="demo.noop", created_by=user, created_at=timezone.now(), **fields)


# createTask


def test_a_task_is_created(asker: Asker, alice: User, kinds: dict[str, Kind]) -> None:
    payload = asker.data(CREATE, input=a_draft(name="  first ", params={"x": [1, "a", None]}))["createTask"]
    task = Task.objects.get()
    assert payload == {
        "task": {
            "number": task.pk,
            "name": "first",
            "status": "QUEUEING",
            "reason": None,
            "params": {"x": [1, "a", None]},
            "createdBy": {"username": "alice"},
            "runAfter": None,
        },
        "userErrors": [],
    }
    assert (task.created_by, task.params) == (alice, {"x": [1, "a", None]})


def test_parameters_may_stand_in_the_document(asker: Asker, kinds: dict[str, Kind]) -> None:
    literal = 'mutation ($n: JSON) { createTask(input: {name: "n", kind: "demo.noop", params: {x: [1, $n, {a: B}]}})'
    payload = asker.data(f"{literal} {{ task {{ params }} }} }}", n=2.5)["createTask"]
    assert payload["task"]["params"] == {"x": [1, 2.5, {"a": "B"}]}


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"name": ""}, ["name"], "BLANK"),
        ({"name": " \u200b "}, ["name"], "BLANK"),
        ({"name": "x" * 201}, ["name"], "TOO_LONG"),
        ({"name": "a\0b"}, ["name"], "INVALID"),
        ({"name": "\ud800"}, ["name"], "INVALID"),
        ({"kind": "no.such"}, ["kind"], "NOT_FOUND"),
        ({"kind": None}, ["kind"], "BLANK"),
        ({"params": [1]}, ["params"], "INVALID"),
        ({"params": 7}, ["params"], "INVALID"),
        ({"params": {"y": 1}}, ["params", "y"], "INVALID"),
        ({"params": {"x": "a\0b"}}, ["params"], "INVALID"),
        ({"params": {"x": 10**500}}, ["params"], "INVALID"),
        ({"params": {"x": "x" * 70_000}}, ["params"], "TOO_LARGE"),
        ({"kind": "demo.coin"}, ["params", "sides"], "INVALID"),
        ({"kind": "demo.coin", "params": {"sides": "two"}}, ["params", "sides"], "INVALID"),
        ({"options": {"delaySeconds": -1}}, ["options", "delaySeconds"], "INVALID"),
        ({"options": {"delaySeconds": 1e300}}, ["options", "delaySeconds"], "INVALID"),
        ({"options": {"delaySeconds": 1, "runAfter": "2026-03-01T12:00:00Z"}}, ["options", "runAfter"], "CONFLICT"),
        ({"options": {"timeoutSeconds": 0}}, ["options", "timeoutSeconds"], "INVALID"),
        ({"options": {"timeoutSeconds": 604801}}, ["options", "timeoutSeconds"], "INVALID"),
        ({"options": {"maxAttempts": 0}}, ["options", "maxAttempts"], "INVALID"),
        ({"options": {"maxAttempts": 101}}, ["options", "maxAttempts"], "INVALID"),
        ({"options": {"idempotencyKey": ""}}, ["options", "idempotencyKey"], "INVALID"),
        ({"options": {"idempotencyKey": "x" * 201}}, ["options", "idempotencyKey"], "INVALID"),
        ({"options": {"idempotencyKey": "ü\0"}}, ["options", "idempotencyKey"], "INVALID"),
        ({"options": {"runAfter": "2026-03-01T12:00:00"}}, ["options", "runAfter"], "INVALID"),
        ({"options": {"runAfter": "9999-12-31T23:59:59Z"}}, ["options", "runAfter"], "INVALID"),
        ({"options": {"runAfter": "0001-01-01T00:00:00+14:00"}}, ["options", "runAfter"], "INVALID"),
    ],
)
def test_a_mistake_is_told_with_its_field(
    asker: Asker, kinds: dict[str, Kind], fields: dict[str, Any], field: list[str], code: str
) -> None:
    payload = asker.data(CREATE, input=a_draft(**fields))["createTask"]
    assert (payload["task"], problems(payload)) == (None, [(field, code)])
    assert not Task.objects.exists()


def test_a_parameter_may_be_called_as_a_draft_calls_its_time(asker: Asker, kinds: dict[str, Kind]) -> None:
    Kind.objects.filter(name="demo.noop").update(schema={"properties": {"run_at": {"type": "string"}}})
    payload = asker.data(CREATE, input=a_draft(params={"run_at": 1}))["createTask"]
    assert problems(payload) == [(["params", "run_at"], "INVALID")]


def test_an_endless_delay_is_told_without_the_number(asker: Asker, kinds: dict[str, Kind]) -> None:
    endless = f"1{'0' * 400}"
    document = f'mutation {{ createTask(input: {{name: "n", kind: "demo.noop", options: {{delaySeconds: {endless}}}}})'
    payload = asker.data(f"{document} {{ userErrors {{ field message code }} }} }}")["createTask"]
    assert payload["userErrors"] == [
        {"field": ["options", "delaySeconds"], "message": "Must be from 0 to 315,360,000.", "code": "INVALID"}
    ]


def test_parameters_nested_without_end_are_a_mistake_too(asker: Asker, kinds: dict[str, Kind]) -> None:
    nested: Any = 1
    for _ in range(200):
        nested = [nested]
    payload = asker.data(CREATE, input=a_draft(params={"x": nested}))["createTask"]
    assert problems(payload) == [(["params"], "INVALID")]


def test_all_mistakes_are_told_at_once(asker: Asker, kinds: dict[str, Kind]) -> None:
    payload = asker.data(CREATE, input={"name": "", "kind": "no.such"})["createTask"]
    assert problems(payload) == [(["name"], "BLANK"), (["kind"], "NOT_FOUND")]


def test_a_time_that_is_no_time_is_the_callers_mistake(asker: Asker, kinds: dict[str, Kind]) -> None:
    answer = asker.ask(CREATE, input=a_draft(options={"runAfter": "2026-02-31T12:00:00Z"}))
    assert code_of(answer) == "BAD_USER_INPUT"


def test_a_delay_counts_from_now(asker: Asker, kinds: dict[str, Kind]) -> None:
    before = timezone.now()
    payload = asker.data(CREATE, input=a_draft(options={"delaySeconds": 90}))["createTask"]
    run_at = Task.objects.get().run_at
    assert run_at is not None
    assert before + timedelta(seconds=90) <= run_at <= timezone.now() + timedelta(seconds=90)
    assert payload["task"]["reason"] == "SCHEDULED"


def test_a_time_may_stand_in_any_zone(asker: Asker, kinds: dict[str, Kind]) -> None:
    later = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    for shown in (later, later.astimezone(timezone.get_fixed_timezone(330))):
        payload = asker.data(CREATE, input=a_draft(options={"runAfter": shown.isoformat()}))["createTask"]
        assert payload["task"]["runAfter"] == later.isoformat()


# createTasks


def test_many_tasks_are_created_in_order(asker: Asker, kinds: dict[str, Kind]) -> None:
    drafts = [a_draft(name=f"n{n}", params={"x": n}) for n in range(1_000)]
    payload = asker.data(CREATE_MANY, input=drafts)["createTasks"]
    assert payload["userErrors"] == []
    assert [task["name"] for task in payload["tasks"]] == [f"n{n}" for n in range(1_000)]
    assert [task["number"] for task in payload["tasks"]] == sorted(Task.objects.values_list("pk", flat=True))


def test_of_many_all_are_created_or_none(asker: Asker, kinds: dict[str, Kind]) -> None:
    drafts = [a_draft(), a_draft(name=""), a_draft(kind="no.such"), a_draft()]
    payload = asker.data(CREATE_MANY, input=drafts)["createTasks"]
    assert payload["tasks"] == []
    assert problems(payload) == [(["1", "name"], "BLANK"), (["2", "kind"], "NOT_FOUND")]
    assert not Task.objects.exists()


def test_a_wrong_option_of_many_is_told_with_its_index(asker: Asker, kinds: dict[str, Kind]) -> None:
    drafts = [a_draft(), a_draft(options={"delaySeconds": -1})]
    payload = asker.data(CREATE_MANY, input=drafts)["createTasks"]
    assert problems(payload) == [(["1", "options", "delaySeconds"], "INVALID")]


def test_all_mistakes_of_all_are_told(asker: Asker, kinds: dict[str, Kind]) -> None:
    drafts = [a_draft(name="", options={"delaySeconds": -1}), a_draft(kind="no.such"), a_draft()]
    payload = asker.data(CREATE_MANY, input=drafts)["createTasks"]
    assert problems(payload) == [
        (["0", "name"], "BLANK"),
        (["0", "options", "delaySeconds"], "INVALID"),
        (["1", "kind"], "NOT_FOUND"),
    ]


def test_of_very_many_mistakes_the_last_says_how_many_more(asker: Asker, kinds: dict[str, Kind]) -> None:
    payload = asker.data(CREATE_MANY, input=[a_draft(name="", kind="no.such")] * 1_000)["createTasks"]
    assert len(payload["userErrors"]) == 101
    assert payload["userErrors"][-1] == {
        "field": None,
        "message": "And 1,900 more like these.",
        "code": "LIMIT_REACHED",
    }


def test_too_many_are_refused_before_they_are_looked_at(asker: Asker, kinds: dict[str, Kind]) -> None:
    payload = asker.data(CREATE_MANY, input=[a_draft(options={"delaySeconds": -1})] * 3_000)["createTasks"]
    assert [error["message"] for error in payload["userErrors"]] == ["At most 1,000 tasks at once (there are 3,000)."]


def test_more_than_a_thousand_are_too_many(asker: Asker, kinds: dict[str, Kind]) -> None:
    payload = asker.data(CREATE_MANY, input=[a_draft()] * 1_001)["createTasks"]
    assert payload == {
        "tasks": [],
        "userErrors": [
            {"field": None, "message": "At most 1,000 tasks at once (there are 1,001).", "code": "LIMIT_REACHED"}
        ],
    }


def test_none_are_soon_created(asker: Asker) -> None:
    assert asker.data(CREATE_MANY, input=[])["createTasks"] == {"tasks": [], "userErrors": []}


def test_what_is_shown_of_many_costs_no_statement_each(
    asker: Asker, kinds: dict[str, Kind], statements: Statements
) -> None:
    fields = "number kind { name } statusText attempts { nodes { number } } createdBy { username } error { type }"
    document = f"mutation ($input: [CreateTaskInput!]!) {{ createTasks(input: $input) {{ tasks {{ {fields} }} }} }}"

    def cost(drafts: int) -> int:
        with statements() as captured:
            asker.data(document, input=[a_draft()] * drafts)
        return len(captured)

    asker.data("{ viewer { id } }")  # writes the day of the token's use
    report.obstacle()
    cost(1)  # looks how many tasks are open
    assert cost(2) == cost(40)  # a single one is saved with less


# deleteTask


@pytest.mark.parametrize("by_number", [True, False])
def test_a_task_is_deleted(asker: Asker, alice: User, by_number: bool) -> None:
    task = a_task(alice)
    key = to_global_id("Task", task.pk)
    payload = asker.data(DELETE, id=str(task.pk) if by_number else key)["deleteTask"]
    assert payload == {"deletedTaskId": key, "userErrors": []}
    assert not Task.objects.exists()


def test_a_running_task_is_not_deleted(asker: Asker, alice: User) -> None:
    task = a_task(alice, status=Status.RUNNING)
    payload = asker.data(DELETE, id=str(task.pk))["deleteTask"]
    assert (payload["deletedTaskId"], problems(payload)) == (None, [(["id"], "NOT_ALLOWED_IN_STATUS")])
    assert "is running" in payload["userErrors"][0]["message"]
    assert Task.objects.exists()


def test_anothers_task_and_none_are_told_alike(asker: Asker, bob: User) -> None:
    task = a_task(bob)
    for number in (task.pk, task.pk + 1):
        payload = asker.data(DELETE, id=str(number))["deleteTask"]
        assert payload["userErrors"] == [
            {"field": ["id"], "message": f"There is no task {number}.", "code": "NOT_FOUND"}
        ]
    assert Task.objects.exists()


# recordEvents


def a_batch(*events: Any, worker: str = "w1", **more: Any) -> dict[str, Any]:
    return {"v": VERSION, "worker": worker, "events": list(events), **more}


def outcome(task: Task, /, **fields: Any) -> dict[str, Any]:
    return {
        "type": "OUTCOME",
        "task": task.pk,
        "attempt": 1,
        "status": "FINISHED",
        "value": "0.25",
        "run_seconds": 1.5,
        **fields,
    }


def test_what_workers_report_is_recorded(sink: Asker, asker: Asker, alice: User) -> None:
    first, second = a_task(alice), a_task(alice)
    batches = [
        a_batch({"type": "STARTED", "task": first.pk, "attempt": 1}, outcome(first)),
        a_batch(outcome(second, status="FAILED", value=None, reason="ERROR", error={"type": "E", "message": "m"})),
    ]
    payload = sink.data(RECORD, batches=batches)["recordEvents"]
    assert payload == {"verdicts": ["APPLIED"] * 3, "userErrors": []}
    shown = asker.data("{ tasks { nodes { status value error { type } } } }")["tasks"]["nodes"]
    assert shown == [
        {"status": "FAILED", "value": None, "error": {"type": "E"}},
        {"status": "FINISHED", "value": 0.25, "error": None},
    ]


def test_every_event_has_its_own_verdict(sink: Asker, alice: User) -> None:
    task, cancelled = a_task(alice), a_task(alice, status=Status.CANCELLED)
    events = [
        outcome(task, attempt=2),
        outcome(task),
        outcome(task),
        outcome(cancelled),
        outcome(task, task=10**9),
        {"type": "BANANA"},
        outcome(task, value="x" * 1_000_000),
        None,
    ]
    verdicts = sink.data(RECORD, batches=[a_batch(*events)])["recordEvents"]["verdicts"]
    assert verdicts == [
        "STALE", "APPLIED", "DUPLICATE", "CANCELLED", "UNKNOWN_TASK", "INVALID", "INVALID", "INVALID",
    ]  # fmt: skip


def test_a_heartbeat_makes_a_worker_known(sink: Asker) -> None:
    beat = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": []}
    assert sink.data(RECORD, batches=[a_batch(heartbeat=beat)])["recordEvents"]["verdicts"] == []
    assert Worker.objects.get().name == "w1"


def test_an_empty_report_is_a_sign_of_life(sink: Asker) -> None:
    assert sink.data(RECORD, batches=[])["recordEvents"] == {"verdicts": [], "userErrors": []}


def test_events_have_a_limit(sink: Asker, alice: User) -> None:
    task = a_task(alice)
    payload = sink.data(RECORD, batches=[a_batch(*[outcome(task)] * 501)] * 2)["recordEvents"]
    assert (payload["verdicts"], problems(payload)) == ([], [(["batches"], "LIMIT_REACHED")])
    task.refresh_from_db()
    assert task.status == Status.QUEUEING


@pytest.mark.parametrize(
    "batch", [7, "x", [], {}, {"v": 99, "worker": "w", "events": []}, {"v": VERSION, "worker": "w", "events": {}}]
)
def test_a_batch_that_is_none_is_told(sink: Asker, batch: Any) -> None:
    payload = sink.data(RECORD, batches=[batch])["recordEvents"]
    assert (payload["verdicts"], problems(payload)) == ([], [(["batches"], "INVALID")])


# claimTask


@pytest.mark.parametrize(
    ("status", "attempt", "verdict"),
    [
        (Status.QUEUEING, 1, "RUN"),
        (Status.RUNNING, 1, "RUN"),
        (Status.QUEUEING, 2, "DROP"),
        (Status.FINISHED, 1, "DROP"),
        (Status.FAILED, 1, "DROP"),
        (Status.CANCELLED, 1, "DROP"),
    ],
)
def test_a_worker_is_told_whether_to_run(alice: User, status: Status, attempt: int, verdict: str) -> None:
    task = a_task(alice, status=status)
    worker = Asker.of(None, Scope.WORKER)
    given = {"task": task.pk, "attempt": attempt, "worker": "w1"}
    assert worker.data(CLAIM, input=given) == {"claimTask": {"verdict": verdict}}


def test_a_deleted_task_is_not_run(alice: User) -> None:
    worker = Asker.of(None, Scope.WORKER)
    assert worker.data(CLAIM, input={"task": 1, "attempt": 1, "worker": "w"})["claimTask"]["verdict"] == "DROP"
