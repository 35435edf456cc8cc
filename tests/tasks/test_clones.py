"""A task that is made from another one knows which, by every door."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from apps.tasks.models import Kind, Task
from tests.fixtures.asking import Asker, code_of
from tests.tasks.rows import a_task, text_of

pytestmark = pytest.mark.django_db

RETRY = """mutation ($input: RetryTaskInput!) { retryTask(input: $input) {
    task { number attempt { number } params clonedFrom { number name } } userErrors { field message code }
} }"""
CODE = {
    "type": "object",
    "properties": {"code": {"type": "string", "widget": "code"}, "n": {"type": "integer"}},
    "required": ["code"],
    "additionalProperties": False,
}


@pytest.fixture
def asker(alice: User, kinds: dict[str, Kind]) -> Asker:
    return Asker.of(alice)


@pytest.fixture
def python(kinds: dict[str, Kind]) -> Kind:
    kind = kinds["demo.noop"]
    Kind.objects.filter(name=kind.name).update(schema=CODE)
    return kind


def retried(asker: Asker, task: Task, **changed: Any) -> Any:
    return asker.data(RETRY, input={"id": task.pk, **changed})["retryTask"]


def problems(payload: dict[str, Any]) -> list[tuple[list[str], str]]:
    assert payload["task"] is None
    return [(error["field"], error["code"]) for error in payload["userErrors"]]


# The form


def hidden(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def test_edit_and_run_again_says_which_task_it_came_from(web: Client, alice: User) -> None:
    old = a_task(alice, params={"x": 1})
    fields = hidden(text_of(web.get(f"/tasks/new/?from={old.pk}")))
    assert fields["cloned_from"] == str(old.pk)
    typed = {"name": "another", "kind": "demo.noop", "p.x": "2", "cloned_from": fields["cloned_from"]}
    refused = web.post("/tasks/new/", {**typed, "name": ""})
    assert hidden(text_of(refused))["cloned_from"] == str(old.pk)
    web.post("/tasks/new/", typed)
    new = Task.objects.latest("pk")
    assert (new.name, new.cloned_from) == ("another", old.pk)
    assert f'<a href="/tasks/{old.pk}/">task {old.pk}</a>' in text_of(web.get(f"/tasks/{new.pk}/"))
    old.delete()
    assert f"task {new.cloned_from}, which is gone" in text_of(web.get(f"/tasks/{new.pk}/"))


@pytest.mark.parametrize("origin", ["bobs", "", "0", "-1", "abc", str(2**31), str(2**63), "9" * 40])
def test_a_task_that_is_none_is_no_reason_to_refuse_what_was_typed(
    web: Client, alice: User, bob: User, origin: str
) -> None:
    origin = str(a_task(bob).pk) if origin == "bobs" else origin
    web.post("/tasks/new/", {"name": "n", "kind": "demo.noop", "cloned_from": origin})
    assert Task.objects.get(created_by=alice).cloned_from is None


def test_others_do_not_see_what_they_may_not(web: Client, alice: User, bob: User) -> None:
    task = a_task(alice, cloned_from=a_task(bob, name="secret").pk)
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert f"/tasks/{task.cloned_from}/" not in html
    answer = Asker.of(alice).data("query ($n: Int!) { task(number: $n) { clonedFrom { name } } }", n=task.pk)
    assert answer == {"task": {"clonedFrom": None}}


# retryTask


def test_without_other_input_the_same_task_tries_again(asker: Asker, alice: User) -> None:
    task = a_task(alice, status="FAILED")
    for nothing in ({}, {"params": None, "code": None}):
        Task.objects.update(status="FAILED")
        assert retried(asker, task, **nothing)["task"]["number"] == task.pk
    assert (Task.objects.get().attempt, Task.objects.get().cloned_from) == (3, None)


def test_with_other_parameters_it_is_a_new_task_like_the_old_one(asker: Asker, alice: User) -> None:
    limits: dict[str, Any] = {"queue": "coins", "priority": 7, "timeout_seconds": 5.0, "max_attempts": 4}
    old = a_task(alice, name="old", params={"x": 1}, **limits)
    payload = retried(asker, old, params={"x": [2]})
    new = Task.objects.latest("pk")
    assert payload == {
        "task": {
            "number": new.pk,
            "attempt": None,
            "params": {"x": [2]},
            "clonedFrom": {"number": old.pk, "name": "old"},
        },
        "userErrors": [],
    }
    assert {name: getattr(new, name) for name in limits} == limits
    assert (new.name, new.kind, new.attempt, new.status) == ("old", "demo.noop", 1, "QUEUEING")
    old.refresh_from_db()
    assert (old.attempt, old.params, old.cloned_from) == (1, {"x": 1}, None)


def test_with_other_code_all_else_stays(asker: Asker, alice: User, python: Kind) -> None:
    old = a_task(alice, params={"code": "1", "n": 3})
    assert retried(asker, old, code="2")["task"]["params"] == {"code": "2", "n": 3}
    assert retried(asker, old, code="3", params={"n": 4})["task"]["params"] == {"code": "3", "n": 4}
    assert problems(retried(asker, old, code="3", params={"code": "4"})) == [(["code"], "CONFLICT")]


def test_what_is_wrong_with_it_stands_at_what_was_sent(asker: Asker, alice: User, bob: User) -> None:
    old = a_task(alice)
    assert problems(retried(asker, old, params={"y": 1})) == [(["params", "y"], "INVALID")]
    assert problems(retried(asker, old, params=[1])) == [(["params"], "INVALID")]
    assert problems(retried(asker, old, code="1")) == [(["code"], "CONFLICT")]
    assert problems(retried(asker, a_task(bob), params={})) == [(["id"], "NOT_FOUND")]
    assert problems(retried(asker, a_task(alice, kind="gone"), params={})) == [(["id"], "NOT_FOUND")]
    assert not Task.objects.filter(cloned_from__isnull=False).exists()


def test_who_may_only_look_makes_none(asker: Asker, alice: User) -> None:
    task = a_task(alice)
    alice.groups.set(Group.objects.filter(name="Viewer"))
    answer = Asker.of(alice).send({"query": RETRY, "variables": {"input": {"id": task.pk, "params": {}}}})
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert Task.objects.count() == 1


def test_originals_of_a_list_are_looked_up_together(
    asker: Asker, alice: User, django_assert_max_num_queries: Any
) -> None:
    first = a_task(alice, name="first")
    second = a_task(alice, name="second", cloned_from=first.pk)
    for _ in range(5):
        a_task(alice, name="third", cloned_from=second.pk)
    query = "{ tasks(filter: {name: %s}) { nodes { clonedFrom { name error { type } clonedFrom { name } } } } }"
    asker.data(query % '"none"')
    with django_assert_max_num_queries(5) as count:
        nodes = asker.data(query % '"third"')["tasks"]["nodes"]
    assert nodes == [{"clonedFrom": {"name": "second", "error": None, "clonedFrom": {"name": "first"}}}] * 5, count
