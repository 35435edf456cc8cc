"""Reading tasks over GraphQL."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from graphql_relay import to_global_id
from pytest_django.fixtures import DjangoAssertNumQueries

from apps.accounts.permissions import Scope
from apps.api import paging
from apps.queues import report
from apps.queues.models import Environment, Queue, Worker
from apps.tasks.lifecycle import Reason, Status
from apps.tasks.models import Attempt, Kind, Task
from apps.tasks.recording import record
from tests.fixtures.asking import Asker, code_of
from tests.tasks.events import batch, finished, printed, progress, started
from tests.tasks.made import keep

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NUMBERS = "nodes { number }"


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)


@pytest.fixture
def boss(sam: User) -> Asker:
    return Asker.of(sam)


def a_task(user: User | None, **fields: Any) -> Task:
    values = {"name": "a task", "kind": "demo.coin", "queue": "coins", "created_at": NOON, **fields}
    return Task.objects.create(created_by=user, **values)


def a_failed_task(user: User) -> Task:
    task = a_task(user, status=Status.FAILED, reason=Reason.ERROR, worker="w1", started_at=NOON, finished_at=NOON)
    Attempt.objects.create(
        task=task,
        number=1,
        worker="w1",
        status=Status.FAILED,
        reason=Reason.ERROR,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=2),
        run_seconds=1.5,
        error_type="ValueError",
        error_message="bad luck",
        traceback="Traceback ...",
    )
    return task


def numbers(asker: Asker, arguments: str = "", **variables: Any) -> list[int]:
    nodes = asker.data(f"{{ tasks{arguments} {{ {NUMBERS} }} }}", **variables)["tasks"]["nodes"]
    return [node["number"] for node in nodes]


# One task


def test_a_task_is_shown_with_everything_known(asker: Asker, alice: User, kinds: dict[str, Kind]) -> None:
    task = a_task(
        alice,
        status=Status.FINISHED,
        params={"sides": 2},
        value=0.25,
        value_text="0.25",
        run_at=NOON + timedelta(seconds=10),
        started_at=NOON + timedelta(seconds=12),
        finished_at=NOON + timedelta(seconds=14),
    )
    Attempt.objects.create(task=task, number=1, worker="w1", status="FINISHED", started_at=NOON, run_seconds=1.99)
    shown = asker.data(
        f"""{{ task(number: {task.pk}) {{
            id number name kind {{ id name doc schema queue {{ name }} }} params status reason statusText value
            valueText result error {{ type }} queue {{ id name }} createdAt createdBy {{ id username }} runAfter
            startedAt finishedAt queuedSeconds runSeconds viewerCan {{ delete }}
            attempts {{ nodes {{ number workerName status reason startedAt finishedAt runSeconds error {{ type }} }} }}
        }} }}"""
    )["task"]
    assert shown == {
        "id": to_global_id("Task", task.pk),
        "number": task.pk,
        "name": "a task",
        "kind": {
            "id": to_global_id("TaskKind", "demo.coin"),
            "name": "demo.coin",
            "doc": "Throws a coin.",
            "schema": kinds["demo.coin"].schema,
            "queue": {"name": "coins"},
        },
        "params": {"sides": 2},
        "status": "FINISHED",
        "reason": None,
        "statusText": "Finished in 1.99 s: it returned 0.25.",
        "value": 0.25,
        "valueText": "0.25",
        "result": None,
        "error": None,
        "queue": {"id": to_global_id("Queue", "coins"), "name": "coins"},
        "createdAt": "2026-03-01T12:00:00+00:00",
        "createdBy": {"id": to_global_id("User", alice.pk), "username": "alice"},
        "runAfter": "2026-03-01T12:00:10+00:00",
        "startedAt": "2026-03-01T12:00:12+00:00",
        "finishedAt": "2026-03-01T12:00:14+00:00",
        "queuedSeconds": 2.0,
        "runSeconds": 1.99,
        "viewerCan": {"delete": True},
        "attempts": {
            "nodes": [
                {
                    "number": 1,
                    "workerName": "w1",
                    "status": "FINISHED",
                    "reason": None,
                    "startedAt": "2026-03-01T12:00:00+00:00",
                    "finishedAt": None,
                    "runSeconds": 1.99,
                    "error": None,
                }
            ]
        },
    }


@pytest.mark.parametrize("asked_by", ["number: {0}", 'id: "{0}"', 'id: "{1}"'])
def test_a_task_is_found_by_number_or_id(asker: Asker, alice: User, asked_by: str) -> None:
    task = a_task(alice)
    argument = asked_by.format(task.pk, to_global_id("Task", task.pk))
    assert asker.data(f"{{ task({argument}) {{ number }} }}") == {"task": {"number": task.pk}}


def test_a_new_task_waits(asker: Asker, alice: User) -> None:
    task = a_task(alice)
    shown = asker.data(f"{{ task(number: {task.pk}) {{ statusText kind {{ name }} runSeconds queuedSeconds }} }}")
    assert shown["task"] == {
        "statusText": "No worker is connected: the task starts when one is.",
        "kind": None,
        "runSeconds": None,
        "queuedSeconds": None,
    }


def test_a_failed_task_shows_its_error(asker: Asker, alice: User) -> None:
    task = a_failed_task(alice)
    shown = asker.data(f"{{ task(number: {task.pk}) {{ reason error {{ type message traceback }} }} }}")["task"]
    error = {"type": "ValueError", "message": "bad luck", "traceback": "Traceback ..."}
    assert shown == {"reason": "ERROR", "error": error}


@pytest.mark.parametrize(("value", "text"), [(None, "nan"), (float("inf"), "inf"), (float("-inf"), "-inf")])
def test_a_value_that_is_no_number_is_shown_as_text(asker: Asker, alice: User, value: float, text: str) -> None:
    task = a_task(alice, status=Status.FINISHED, value=value, value_text=text)
    shown = asker.data(f"{{ task(number: {task.pk}) {{ value valueText }} }}")
    assert shown["task"] == {"value": None, "valueText": text}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [('{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}), ('""', ""), ("null", None), ("[NaN,1e999]", ["NaN", "1e999"])],
)
def test_a_result_is_json(asker: Asker, alice: User, stored: str, shown: object) -> None:
    task = a_task(alice, status=Status.FINISHED, result=stored)
    assert asker.data(f"{{ task(number: {task.pk}) {{ result }} }}")["task"]["result"] == shown


def test_text_that_no_database_checks_is_answered_as_valid_json(asker: Asker, alice: User) -> None:
    task = a_task(alice, name='</script>"\\\u2028é😀')
    response = asker.send({"query": f"{{ task(number: {task.pk}) {{ name }} }}"})
    assert json.loads(response.content)["data"]["task"]["name"] == task.name


def test_the_attempts_come_in_pages(asker: Asker, alice: User) -> None:
    task = a_task(alice)
    Attempt.objects.bulk_create(Attempt(task=task, number=n, worker="w", started_at=NOON) for n in range(1, 31))
    page = "{ nodes { number } pageInfo { endCursor hasNextPage hasPreviousPage } }"
    first = asker.data(f"{{ task(number: {task.pk}) {{ attempts {page} }} }}")["task"]["attempts"]
    assert [node["number"] for node in first["nodes"]] == list(range(1, 21))
    assert first["pageInfo"]["hasNextPage"] is True
    after = first["pageInfo"]["endCursor"]
    rest = asker.data(f'{{ task(number: {task.pk}) {{ attempts(after: "{after}") {page} }} }}')["task"]["attempts"]
    assert [node["number"] for node in rest["nodes"]] == list(range(21, 31))
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


# Whose


def test_the_tasks_of_others_do_not_exist(asker: Asker, bob: User) -> None:
    task = a_task(bob)
    queries = {
        f"{{ found: task(number: {task.pk}) {{ id }} }}": None,
        f'{{ found: task(id: "{to_global_id("Task", task.pk)}") {{ id }} }}': None,
        f'{{ found: node(id: "{to_global_id("Task", task.pk)}") {{ id }} }}': None,
        f'{{ found: node(id: "{to_global_id("User", bob.pk)}") {{ id }} }}': None,
        f"{{ found: tasks(filter: {{ids: [{task.pk}]}}) {{ totalCount }} }}": {"totalCount": 0},
        "{ found: tasks { totalCount } }": {"totalCount": 0},
        "{ found: taskCounts { queueing } }": {"queueing": 0},
    }
    assert {query: asker.data(query)["found"] for query in queries} == queries


def test_staff_see_everything(boss: Asker, bob: User) -> None:
    task = a_task(bob)
    assert numbers(boss) == [task.pk]


def test_what_may_be_deleted_is_told(alice: User, sam: User) -> None:
    a_task(alice)
    a_task(alice, status=Status.RUNNING)

    def can(asker: Asker) -> list[bool]:
        query = "{ tasks(orderBy: {field: CREATED_AT, direction: ASC}) { nodes { viewerCan { delete } } } }"
        return [node["viewerCan"]["delete"] for node in asker.data(query)["tasks"]["nodes"]]

    assert can(Asker.of(alice)) == [True, False]
    assert can(Asker.of(sam)) == [True, False]
    assert can(Asker.of(alice, Scope.TASKS_READ)) == [False, False]


@pytest.mark.parametrize("kind", ["Task", "TaskKind", "Queue", "User"])
def test_anything_with_an_id_is_found_by_it(asker: Asker, alice: User, kinds: dict[str, Kind], kind: str) -> None:
    keys: dict[str, str | int] = {
        "Task": a_task(alice).pk,
        "TaskKind": "demo.noop",
        "Queue": Queue.objects.create(name="coins").pk,
        "User": alice.pk,
    }
    gid = to_global_id(kind, keys[kind])
    found = asker.data(f'{{ node(id: "{gid}") {{ id __typename }} }}')["node"]
    assert found == {"id": gid, "__typename": kind}


def test_an_id_of_nothing_is_null(asker: Asker) -> None:
    for text in ("Task:999", "TaskKind:none", "Queue:none", "User:999", "Banana:1"):
        kind, key = text.split(":")
        assert asker.data(f'{{ node(id: "{to_global_id(kind, key)}") {{ id }} }}') == {"node": None}


# Many


def test_the_newest_stand_first_unless_told(asker: Asker, alice: User) -> None:
    made = [a_task(alice).pk for _ in range(3)]
    assert numbers(asker) == made[::-1]
    assert numbers(asker, "(orderBy: {field: CREATED_AT, direction: DESC})") == made[::-1]
    assert numbers(asker, "(orderBy: {field: CREATED_AT, direction: ASC})") == made


def paged(asker: Asker, arguments: str) -> dict[str, Any]:
    info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    page = f"nodes {{ number }} edges {{ node {{ number }} cursor }} {info}"
    answer: dict[str, Any] = asker.data(f"{{ tasks({arguments}) {{ {page} }} }}")["tasks"]
    assert [edge["node"] for edge in answer["edges"]] == answer["nodes"]
    if answer["edges"]:
        ends = [answer["edges"][end]["cursor"] for end in (0, -1)]
        assert ends == [answer["pageInfo"]["startCursor"], answer["pageInfo"]["endCursor"]]
    return answer


def shown(page: dict[str, Any]) -> list[int]:
    return [node["number"] for node in page["nodes"]]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_pages_follow_each_other_without_a_gap(asker: Asker, alice: User, direction: str) -> None:
    made = [a_task(alice).pk for _ in range(5)]
    order = made if direction == "ASC" else made[::-1]
    by = f"orderBy: {{field: CREATED_AT, direction: {direction}}}"
    first = paged(asker, f"first: 2, {by}")
    second = paged(asker, f'first: 2, after: "{first["pageInfo"]["endCursor"]}", {by}')
    third = paged(asker, f'first: 2, after: "{second["pageInfo"]["endCursor"]}", {by}')
    assert [shown(page) for page in (first, second, third)] == [order[:2], order[2:4], order[4:]]
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second, third)] == [True, True, False]
    back = paged(asker, f'last: 2, before: "{third["pageInfo"]["startCursor"]}", {by}')
    assert (shown(back), back["pageInfo"]["hasPreviousPage"]) == (order[2:4], True)
    assert shown(paged(asker, f"last: 2, {by}")) == order[3:]


def test_a_page_does_not_drift_when_tasks_are_added(asker: Asker, alice: User) -> None:
    made = [a_task(alice).pk for _ in range(4)]
    first = paged(asker, "first: 2")
    a_task(alice)
    assert shown(paged(asker, f'first: 2, after: "{first["pageInfo"]["endCursor"]}"')) == made[1::-1]


def test_a_page_has_50_tasks_unless_told(asker: Asker, alice: User) -> None:
    Task.objects.bulk_create(Task(name="n", kind="k", created_by=alice, created_at=NOON) for _ in range(120))
    assert len(numbers(asker)) == 50
    assert len(numbers(asker, "(first: 100)")) == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: 100000", "first must be from 1 to 100 (got 100000)."),
        ("first: -1", "first must be from 1 to 100 (got -1)."),
        ("first: 0", "first must be from 1 to 100 (got 0)."),
        ("last: 101", "last must be from 1 to 100 (got 101)."),
        ("first: 1, last: 1", "Give first or last, not both."),
        ('after: "nonsense"', "after is not a cursor of this list: 'nonsense'"),
        ('before: "VGFzazox"', "before is not a cursor of this list: 'VGFzazox'"),
        (f'after: "{to_global_id("at", 10**30)}"', "after is not a cursor of this list"),
        ('filter: {ids: ["abc"]}', "This is not the id of a Task: 'abc'"),
        ('filter: {name: "a\\u0000b"}', "filter.name is not valid Unicode"),
        ('filter: {kind: ["a\\u0000b"]}', "filter.kind is not valid Unicode"),
        ('filter: {queue: ["a\\u0000b"]}', "filter.queue is not valid Unicode"),
        ('filter: {createdBy: "VGFzazox"}', "This is not the id of a User"),
        ('filter: {createdAt: {gte: "2026-03-01T12:00:00"}}', "filter.createdAt.gte needs a time zone"),
        ('filter: {createdAt: {lt: "0001-01-01T00:00:00+14:00"}}', "filter.createdAt.lt is not a time"),
    ],
)
def test_wrong_arguments_are_named(asker: Asker, arguments: str, message: str) -> None:
    response = asker.send({"query": f"{{ tasks({arguments}) {{ totalCount {NUMBERS} }} }}"})
    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
    assert response.json()["errors"][0]["message"].startswith(message)


def test_a_part_of_a_name_has_the_limit_of_a_name(asker: Asker) -> None:
    answer = asker.ask("query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }", f={"name": "x" * 900_000})
    assert answer["errors"][0]["message"] == "filter.name may have at most 200 characters, as a name (it has 900,000)."
    assert code_of(answer) == "BAD_USER_INPUT"


def test_kinds_have_a_limit(asker: Asker) -> None:
    answer = asker.ask("query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }", f={"kind": ["k"] * 1_001})
    assert answer["errors"][0]["message"] == "filter.kind may name at most 1,000 kinds (got 1,001)."


def test_ids_have_a_limit(asker: Asker) -> None:
    answer = asker.ask("query ($ids: [ID!]) { tasks(filter: {ids: $ids}) { totalCount } }", ids=["1"] * 1_001)
    assert answer["errors"][0]["message"] == "filter.ids may name at most 1,000 tasks (got 1,001)."


def test_a_filter_keeps_what_fulfils_all_of_it(asker: Asker, alice: User) -> None:
    coin = a_task(alice, name="Fit Curve", created_at=NOON - timedelta(days=1))
    noop = a_task(
        alice, name="other", kind="demo.noop", queue="slow", status=Status.FAILED, reason="TIMEOUT", finished_at=NOON
    )
    for wanted, found in {
        f"ids: [{coin.pk}]": [coin],
        f'ids: ["{to_global_id("Task", coin.pk)}", "999"]': [coin],
        "status: [QUEUEING, RUNNING]": [coin],
        "status: []": [],
        'kind: ["demo.noop"]': [noop],
        'name: "FIT c"': [coin],
        'name: "%"': [],
        'createdAt: {gte: "2026-03-01T12:00:00Z"}': [noop],
        'createdAt: {lt: "2026-03-01T14:00:00+02:00"}': [coin],
        'finishedAt: {gte: "2026-03-01T12:00:00Z", lt: "2026-03-01T12:00:01Z"}': [noop],
        'queue: ["slow", "none"]': [noop],
        "reason: [TIMEOUT, CRASHED]": [noop],
        f'createdBy: "{to_global_id("User", alice.pk)}", kind: ["demo.noop"]': [noop],
        'createdBy: "999999"': [],
        "status: [FAILED], name: null": [noop],
        'status: [FAILED], name: "fit"': [],
        "": [noop, coin],
    }.items():
        assert numbers(asker, f"(filter: {{{wanted}}})") == [task.pk for task in found], wanted


def test_tasks_are_counted_up_to_a_cap(asker: Asker, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        a_task(alice)
    count = "{ tasks(first: 1) { totalCount totalCountIsExact } }"
    assert asker.data(count)["tasks"] == {"totalCount": 3, "totalCountIsExact": True}
    monkeypatch.setattr(paging, "COUNT_CAP", 2)
    monkeypatch.setattr("apps.tasks.schema_types.COUNT_CAP", 2)
    assert asker.data(count)["tasks"] == {"totalCount": 2, "totalCountIsExact": False}


def test_tasks_are_counted_by_status(asker: Asker, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in ("QUEUEING", "QUEUEING", "RUNNING", "FINISHED", "FAILED", "CANCELLED"):
        a_task(alice, status=status)
    fields = "queueing running finished failed cancelled exact"
    counts = {"queueing": 2, "running": 1, "finished": 1, "failed": 1, "cancelled": 1, "exact": True}
    assert asker.data(f"{{ taskCounts {{ {fields} }} }}") == {"taskCounts": counts}
    only = asker.data("{ taskCounts(filter: {status: [FAILED]}) { queueing failed } }")
    assert only == {"taskCounts": {"queueing": 0, "failed": 1}}
    monkeypatch.setattr("apps.tasks.schema.COUNT_CAP", 1)
    assert asker.data("{ taskCounts { queueing exact } }") == {"taskCounts": {"queueing": 1, "exact": False}}


def test_a_kind_is_served_while_a_worker_that_runs_it_is_there(asker: Asker, kinds: dict[str, Kind]) -> None:
    assert asker.data("{ kinds { served } }")["kinds"] == [{"served": False}, {"served": False}]
    now = timezone.now()
    given: dict[str, Any] = {"host": "h", "pid": 1, "queues": ["default"], "concurrency": 1, "started_at": now}
    Worker.objects.create(name="w1", kinds=["demo.noop", "demo.coin"], last_seen_at=now, **given)
    # The coin waits in another queue.
    assert asker.data("{ kinds { name served } }")["kinds"] == [
        {"name": "demo.coin", "served": False},
        {"name": "demo.noop", "served": True},
    ]


def test_kinds_are_listed_by_name(asker: Asker, kinds: dict[str, Kind]) -> None:
    assert asker.data("{ kinds { name queue { name } } }")["kinds"] == [
        {"name": "demo.coin", "queue": {"name": "coins"}},
        {"name": "demo.noop", "queue": {"name": "default"}},
    ]


@pytest.fixture
def known_token_and_health(asker: Asker, remembering: None) -> None:
    """Looked up before, and for as long as the test takes."""
    asker.data("{ viewer { id } }")
    report.obstacle()


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.usefixtures("known_token_and_health")
def test_a_list_costs_as_many_statements_as_one_task(
    alice: User, asker: Asker, kinds: dict[str, Kind], count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        a_failed_task(alice)
        a_task(alice)
    task = (
        "number kind { name } params result statusText error { type message traceback } runSeconds"
        " createdBy { username } attempts { nodes { number error { traceback } } } viewerCan { delete } queue { name }"
    )
    # The page, its people, its attempts, its last attempts, kinds, live workers, pauses, limits; PostgreSQL's clock.
    with django_assert_num_queries(8 if connection.vendor == "sqlite" else 9):
        asker.data(f"{{ tasks {{ edges {{ node {{ ...t }} }} }} }} fragment t on Task {{ {task} }}")
    with django_assert_num_queries(1):
        asker.data("{ tasks { nodes { id number name status value createdAt queue { name } } } }")


@pytest.mark.parametrize("count", [1, 15])
@pytest.mark.usefixtures("known_token_and_health")
def test_sentences_of_many_results_are_told_without_reading_them(
    alice: User, asker: Asker, kinds: dict[str, Kind], count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        a_task(alice, status=Status.FINISHED, result='{"mean": 1}')
        drawn, bare = a_task(alice, status=Status.FINISHED), a_task(alice, status=Status.FINISHED)
        keep(drawn, b"picture", "figure-1.png", content_type="image/png", shown=True)
        keep(bare, b"rows", "rows.csv")
    with django_assert_num_queries(4 if connection.vendor == "sqlite" else 5):
        nodes = asker.data("{ tasks { nodes { statusText } } }")["tasks"]["nodes"]
    told = [node["statusText"] for node in nodes]
    assert told == ["Finished: it returned nothing.", "Finished.", "Finished."] * count


OUTPUT = "output { pieces { position bytes texts { stream text } } totalBytes leftOutBytes }"


def attempts_of(asker: Asker, asked: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = asker.data(f"{{ tasks {{ nodes {{ attempts {{ nodes {{ {asked} }} }} }} }} }}")[
        "tasks"
    ]["nodes"]
    return [attempt for node in nodes for attempt in node["attempts"]["nodes"]]


def test_an_attempt_tells_what_it_printed(asker: Asker, alice: User) -> None:
    task = a_task(alice)
    record([batch(started(task), printed(task, 0, "one\n", ("stderr", "two")), printed(task, 7, "!"))])
    record([batch(printed(task, 100_000, "end"))])
    (attempt,) = attempts_of(asker, OUTPUT)
    first, second, tail = attempt["output"]["pieces"]
    assert first == {
        "position": 0,
        "bytes": 7,
        "texts": [{"stream": "STDOUT", "text": "one\n"}, {"stream": "STDERR", "text": "two"}],
    }
    assert (second["position"], tail["position"]) == (7, 100_000)
    assert (attempt["output"]["totalBytes"], attempt["output"]["leftOutBytes"]) == (100_003, 99_992)


def test_output_is_asked_for_from_a_byte_on_and_by_stream(asker: Asker, alice: User) -> None:
    task = a_task(alice)
    record([batch(started(task), printed(task, 0, "one\n"), printed(task, 4, "two", ("stderr", "three")))])
    asked = "output(after: 4, stream: STDERR) { pieces { position texts { text } } }"
    (attempt,) = attempts_of(asker, asked)
    assert attempt["output"]["pieces"] == [{"position": 4, "texts": [{"text": "three"}]}]


def test_one_attempt_is_asked_for_and_the_last_that_has_begun_unless_told(asker: Asker, alice: User) -> None:
    task = a_task(alice, attempt=3, reason="RETRY_WAIT")
    for number in (1, 2):
        Attempt.objects.create(task=task, number=number, worker=f"w{number}", started_at=NOON)
    waiting = a_task(alice)
    asked = f"task(number: {task.pk}) {{ last: attempt {{ workerName }} first: attempt(number: 1) {{ workerName }} }}"
    found = asker.data(f"{{ {asked} none: task(number: {waiting.pk}) {{ attempt {{ number }} }} }}")
    assert found["task"] == {"last": {"workerName": "w2"}, "first": {"workerName": "w1"}}
    assert found["none"] == {"attempt": None}


def test_one_query_brings_twenty_outputs_and_no_more(asker: Asker, alice: User) -> None:
    for _ in range(20):
        a_failed_task(alice)
    assert len(attempts_of(asker, OUTPUT)) == 20
    a_failed_task(alice)
    answer = asker.ask(f"{{ tasks {{ nodes {{ attempts {{ nodes {{ {OUTPUT} }} }} }} }} }}")
    assert code_of(answer) == "BAD_USER_INPUT"
    assert "At most 20 outputs in one query" in str(answer)


def test_the_output_of_others_is_not_told(asker: Asker, bob: User) -> None:
    task = a_task(bob)
    record([batch(started(task), printed(task, 0, "secret"))])
    assert attempts_of(asker, OUTPUT) == []


def test_an_attempt_tells_what_it_used(asker: Asker, alice: User) -> None:
    task = a_task(alice)
    record([batch(finished(task, cpu_seconds=1.5, peak_bytes=2**40))])
    assert attempts_of(asker, "cpuSeconds peakMemoryBytes") == [{"cpuSeconds": 1.5, "peakMemoryBytes": 2**40}]


def test_an_attempt_tells_what_its_worker_had(
    asker: Asker, alice: User, known_token_and_health: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for worker, level in (("w1", "full"), ("w2", "none")):
        kept = Environment.objects.create(digest=worker, data={"python": "3.11.2", "sandbox": level})
        tasks = [a_task(alice) for _ in range(5)]
        made = [Attempt(task=task, number=1, worker=worker, environment=kept.pk, started_at=NOON) for task in tasks]
        Attempt.objects.bulk_create(made)
    Attempt.objects.create(task=a_task(alice), number=1, worker="old", started_at=NOON)
    with django_assert_num_queries(3):
        told = [each["environment"] for each in attempts_of(asker, "environment { python sandbox }")]
    assert told == [
        None,
        *[{"python": "3.11.2", "sandbox": "none"}] * 5,
        *[{"python": "3.11.2", "sandbox": "full"}] * 5,
    ]


def test_progress_is_told_while_a_task_runs(asker: Asker, alice: User) -> None:
    task = a_task(alice)
    asked = f"{{ task(number: {task.pk}) {{ progress {{ fraction message updatedAt secondsLeft }} }} }}"
    record([batch(started(task))])
    assert asker.data(asked)["task"]["progress"] is None
    record([batch(progress(task, 0.5, "half"))])
    Task.objects.update(started_at=timezone.now() - timedelta(minutes=3))
    told = asker.data(asked)["task"]["progress"]
    assert (told["fraction"], told["message"]) == (0.5, "half")
    assert told["updatedAt"]
    assert 100 < told["secondsLeft"] < 190
    record([batch(finished(task))])
    assert asker.data(asked)["task"]["progress"] is None


@pytest.mark.parametrize("asked", ["", "params", "result", "params result"])
@pytest.mark.usefixtures("known_token_and_health")
def test_large_columns_are_read_only_when_asked_for(
    alice: User, asker: Asker, asked: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    a_task(alice, params={"x": 1})
    with django_assert_num_queries(1) as statements:
        asker.data(f"{{ tasks {{ nodes {{ number {asked} }} }} }}")
    page = statements.captured_queries[-1]["sql"]
    for column in ("params", "result"):
        assert (f'"{column}"' in page) == (column in asked)


def test_the_language_of_the_search_box_finds_tasks(asker: Asker, alice: User, bob: User) -> None:
    fit, other = a_task(alice, name="fit", status=Status.FAILED), a_task(alice, name="sim", status=Status.FAILED)
    a_task(bob, name="fit", status=Status.FAILED)
    assert numbers(asker, '(query: "status:FAILED -fit")') == [other.pk]
    assert numbers(asker, '(query: "fit", filter: {status: [FAILED]})') == [fit.pk]
    proud = a_task(alice, name="STOLZER Bär")
    assert numbers(asker, '(filter: {name: "BÄR"})') == numbers(asker, '(query: "bär")') == [proud.pk]
    counts = asker.data('{ taskCounts(query: "fit") { failed finished } }')["taskCounts"]
    assert counts == {"failed": 1, "finished": 0}


def test_a_mistake_in_it_is_told(asker: Asker) -> None:
    answer = asker.ask('{ tasks(query: "statsu:FAILED") { nodes { number } } }')
    assert code_of(answer) == "BAD_USER_INPUT"
    assert "query: There is no field “statsu”. Known: status, kind," in str(answer["errors"])


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_pages_hold_in_any_order(asker: Asker, alice: User, direction: str) -> None:
    made = [a_task(alice, run_seconds=n % 3 / 10).pk for n in range(7)]
    waiting = [a_task(alice).pk for _ in range(3)]
    by = f"orderBy: {{field: RUN_SECONDS, direction: {direction}}}"
    whole = shown(paged(asker, f"first: 100, {by}"))
    ran = sorted(made, key=lambda pk: (made.index(pk) % 3, pk), reverse=direction == "DESC")
    assert whole == [*ran, *sorted(waiting, reverse=direction == "DESC")]
    assert asker.data(f"{{ tasks({by}) {{ totalCount }} }}")["tasks"]["totalCount"] == 10
    page = paged(asker, f"first: 3, {by}")
    after = page["pageInfo"]["endCursor"]
    assert shown(paged(asker, f'first: 3, after: "{after}", {by}')) == whole[3:6]
    last = paged(asker, f"last: 2, {by}")
    assert shown(last) == whole[-2:]
    assert shown(paged(asker, f'last: 2, before: "{last["pageInfo"]["startCursor"]}", {by}')) == whole[6:8]
    between = f'first: 100, after: "{after}", before: "{last["pageInfo"]["startCursor"]}", {by}'
    assert shown(paged(asker, between)) == whole[3:8]
