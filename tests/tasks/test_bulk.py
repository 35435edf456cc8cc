"""Acts on many tasks: the browser's and GraphQL's door do the same, with a selection and with all that match."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.accounts.permissions import Scope
from apps.tasks import services, sweeps
from apps.tasks.lifecycle import Status
from apps.tasks.models import Kind, Sweep, Task
from tests.fixtures.asking import Asker
from tests.tasks.rows import a_task, text_of

BULK = """mutation ($input: BulkTasksInput!) { bulkTasks(input: $input) {
  affectedCount refused { number message code } matchedCount operation userErrors { field message code }
} }"""
OPERATION = """query ($id: ID!) {
  bulkOperation(id: $id) {
    action priority query count affectedCount refusedCount refusal percent stopped begunAt endedAt
  }
  node(id: $id) { id }
}"""
STOP = """mutation ($id: ID!) {
  stopBulkOperation(input: {id: $id}) { operation { stopped endedAt affectedCount } userErrors { field code message } }
}"""


@dataclass(frozen=True)
class Act:
    """`count`: with how many it is done of one task in each status."""

    name: str
    action: str
    count: int
    more: dict[str, int] = field(default_factory=dict)


ACTS = [
    Act("retry", "RETRY", 3),
    Act("cancel", "CANCEL", 2),
    Act("delete", "DELETE", 4),
    Act("priority", "SET_PRIORITY", 1, {"priority": -7}),
]


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)


def one_of_each(owner: User, name: str) -> list[int]:
    return [a_task(owner, name=name, status=status).pk for status in Status]


def outcomes(numbers: list[int]) -> list[Any]:
    found = {row[0]: row[1:] for row in Task.objects.values_list("pk", "status", "attempt", "priority")}
    return [found.get(number) for number in numbers]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_both_doors_do_the_same_with_a_selection(web: Client, alice: User, bob: User, asker: Asker, act: Act) -> None:
    by_page, by_api, others = one_of_each(alice, "page"), one_of_each(alice, "api"), a_task(bob)
    selected = {"number": [*by_page, others.pk], "confirmed": "1", **act.more}
    said = text_of(web.post(f"/tasks/{act.name}/", selected, headers={"HX-Request": "true"}))
    ids = [*by_api, others.pk]
    payload = asker.data(BULK, input={"action": act.action, "ids": ids, **act.more})["bulkTasks"]
    assert outcomes([*by_page, others.pk]) == outcomes(ids)
    assert outcomes(by_api) != [(status, 1, 0) for status in Status]
    assert (payload["affectedCount"], payload["userErrors"], payload["operation"]) == (act.count, [], None)
    assert f"{act.count} task{'' if act.count == 1 else 's'} " in said
    *refused, foreign = payload["refused"]
    assert [each["code"] for each in refused] == ["NOT_ALLOWED_IN_STATUS"] * (5 - act.count)
    assert foreign == {"number": others.pk, "message": f"There is no task {others.pk}.", "code": "NOT_FOUND"}
    first = refused[0]
    twin = by_page[by_api.index(first["number"])]
    assert first["message"].replace(str(first["number"]), str(twin), 1) in said


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_both_doors_do_the_same_with_all_that_match(
    web: Client, alice: User, bob: User, asker: Asker, act: Act
) -> None:
    by_page, by_api, others = one_of_each(alice, "page"), one_of_each(alice, "api"), one_of_each(bob, "api page")
    address = web.post("/tasks/all/", {"q": "name:page", "act": act.name, "count": "5", **act.more})["Location"]
    asked = {"action": act.action, "query": "name:api", "expectedCount": 5, **act.more}
    payload = asker.data(BULK, input=asked)["bulkTasks"]
    assert (payload["affectedCount"], payload["matchedCount"], payload["userErrors"]) == (0, 5, [])
    begun = asker.data(OPERATION, id=payload["operation"])
    assert (begun["bulkOperation"]["percent"], begun["bulkOperation"]["endedAt"]) == (0, None)
    assert begun["node"] == {"id": payload["operation"]}
    while sweeps.advance():
        pass
    assert outcomes(by_page) == outcomes(by_api)
    assert outcomes(others) == [(status, 1, 0) for status in Status]
    ended = asker.data(OPERATION, id=payload["operation"])["bulkOperation"]
    assert ended.pop("begunAt") < ended.pop("endedAt")
    refusal = ended.pop("refusal")
    assert ended == {
        "action": act.action, "priority": None, "query": "name:api", "count": 5, "affectedCount": act.count,
        "refusedCount": 5 - act.count, "percent": 100, "stopped": False, **act.more,
    }  # fmt: skip
    page = text_of(web.get(address))
    assert f"Done. {act.count} " in page
    assert refusal.split(" ", 2)[2] in page
    assert Asker.of(bob).data(OPERATION, id=payload["operation"]) == {"bulkOperation": None, "node": None}


@pytest.mark.parametrize(
    ("asked", "wrong", "part"),
    [
        ({}, (None, "INVALID"), "one of ids, query and filter"),
        ({"ids": ["1"], "query": ""}, (None, "INVALID"), "one of ids, query and filter"),
        ({"query": ""}, (["expectedCount"], "BLANK"), "(now 2)"),
        (
            {"query": "", "expectedCount": 1},
            (["expectedCount"], "COUNT_CHANGED"),
            "1 was expected, the search finds 2 ",
        ),
        ({"ids": ["1", "2"], "expectedCount": 1}, (["expectedCount"], "COUNT_CHANGED"), "ids names 2 tasks."),
        ({"query": "statsu:x", "expectedCount": 2}, (["query"], "INVALID"), "There is no field “statsu”"),
        ({"filter": {}, "ids": ["1"]}, (None, "INVALID"), "one of ids, query and filter"),
        ({"filter": {}}, (["expectedCount"], "BLANK"), "(now 2)"),
        ({"filter": {}, "expectedCount": 1}, (["expectedCount"], "COUNT_CHANGED"), "the filter finds 2 tasks now"),
        ({"ids": [str(n) for n in range(1, 1_002)]}, (["ids"], "LIMIT_REACHED"), "At most 1,000 tasks at once"),
        ({"ids": ["1"], "priority": 1}, (["priority"], "INVALID"), "Only SET_PRIORITY"),
        ({"ids": ["1"], "action": "SET_PRIORITY"}, (["priority"], "BLANK"), "from -100 to 100"),
        ({"ids": ["1"], "action": "SET_PRIORITY", "priority": 101}, (["priority"], "INVALID"), "from -100 to 100"),
        (
            {"query": "", "expectedCount": 2, "action": "SET_PRIORITY", "priority": -101},
            (["priority"], "INVALID"),
            "from -100 to 100",
        ),
    ],
)
def test_a_mistake_changes_nothing_and_is_told(
    asker: Asker, alice: User, asked: dict[str, Any], wrong: tuple[list[str] | None, str], part: str
) -> None:
    numbers = [a_task(alice, status=status).pk for status in ("FAILED", "QUEUEING")]
    payload = asker.data(BULK, input={"action": "RETRY", **asked})["bulkTasks"]
    [error] = payload["userErrors"]
    assert (error["field"], error["code"]) == wrong
    assert part in error["message"]
    assert payload["matchedCount"] == (2 if wrong[0] == ["expectedCount"] and "ids" not in asked else None)
    assert outcomes(numbers) == [("FAILED", 1, 0), ("QUEUEING", 1, 0)]
    assert not Sweep.objects.exists()


def test_one_under_way_is_stopped_by_who_has_begun_it(asker: Asker, alice: User, bob: User) -> None:
    number = a_task(alice, status="FAILED").pk
    begun = asker.data(BULK, input={"action": "RETRY", "query": "", "expectedCount": 1})["bulkTasks"]["operation"]
    foreign = Asker.of(bob).data(STOP, id=begun)["stopBulkOperation"]
    assert (foreign["operation"], foreign["userErrors"][0]["code"]) == (None, "NOT_FOUND")
    answer = Asker.of(alice, Scope.TASKS_READ).ask(STOP, id=begun)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert not Sweep.objects.get().stopped
    stopped = asker.data(STOP, id=begun)["stopBulkOperation"]
    assert stopped == {"operation": {"stopped": True, "endedAt": None, "affectedCount": 0}, "userErrors": []}
    while sweeps.advance():
        pass
    assert outcomes([number]) == [("FAILED", 1, 0)]
    assert asker.data(OPERATION, id=begun)["bulkOperation"]["endedAt"]


def test_a_filter_is_acted_on_at_once_up_to_a_limit(
    asker: Asker, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = [a_task(alice, status="FAILED", queue="slow").pk for _ in range(2)]
    others = [a_task(alice, status="FAILED").pk, a_task(bob, status="FAILED", queue="slow").pk]
    asked = {"action": "RETRY", "filter": {"status": ["FAILED"], "queue": ["slow"]}, "expectedCount": 2}
    monkeypatch.setattr(services, "MOST_AT_ONCE", 1)
    payload = asker.data(BULK, input=asked)["bulkTasks"]
    assert payload["userErrors"][0]["code"] == "LIMIT_REACHED"
    assert (payload["affectedCount"], payload["matchedCount"]) == (0, 2)
    monkeypatch.undo()
    payload = asker.data(BULK, input=asked)["bulkTasks"]
    assert (payload["affectedCount"], payload["matchedCount"], payload["userErrors"]) == (2, 2, [])
    assert outcomes([*failed, *others]) == [("QUEUEING", 2, 0)] * 2 + [("FAILED", 1, 0)] * 2
    payload = asker.data(BULK, input={**asked, "expectedCount": 0})["bulkTasks"]
    assert (payload["affectedCount"], payload["matchedCount"], payload["userErrors"]) == (0, 0, [])


def test_many_are_changed_only_by_who_may_write_and_may_run_them(alice: User) -> None:
    Kind.objects.create(name="code.python", runs_code=True, announced_at=a_task(alice).created_at)
    code = a_task(alice, kind="code.python", status="FAILED")
    asked = {"action": "RETRY", "ids": [str(code.pk)]}
    answer = Asker.of(alice, Scope.TASKS_READ).ask(BULK, input=asked)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    [refused] = Asker.of(alice).data(BULK, input=asked)["bulkTasks"]["refused"]
    assert (refused["number"], refused["code"]) == (code.pk, "FORBIDDEN")
