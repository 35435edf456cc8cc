"""Failed tasks by cause: what the page says, whose it counts, how a poll answers, what is done with a whole group."""

import re
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.accounts.permissions import Scope
from apps.tasks import failure_acts, failures
from apps.tasks.failure_acts import Shown
from apps.tasks.models import Kind, Task
from apps.tasks.recording import record
from tests.fixtures.asking import Asker, code_of
from tests.queues.test_workers import words
from tests.tasks.events import batch, failed, finished
from tests.tasks.rows import a_task, text_of

HTMX = {"HX-Request": "true"}
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/handlers/{}.py", line 3, in run\n    a / b\nError: no\n'


def fail(task: Task, place: str = "fits", **more: Any) -> Task:
    """As the sink has it recorded."""
    event = failed(task, task.attempt, **more)
    event["error"]["traceback"] = TRACEBACK.format(place)
    record([batch(event)])
    cache.clear()
    task.refresh_from_db()
    return task


def a_failure(owner: User, place: str = "fits", **fields: Any) -> Task:
    return fail(a_task(owner, **fields), place)


def button(client: Client, act: str, path: str = "/failures/") -> tuple[str, str]:
    """The address and the value of the first button that does it."""
    html = text_of(client.get(path))
    found = re.search(rf'formaction="([^"]+/{act}/)" name="shown" value="([^"]+)"', html)
    assert found, html
    return found[1], found[2]


def press(client: Client, act: str, **more: str) -> Any:
    address, shown = button(client, act)
    return client.post(address, {"shown": shown, "confirmed": "1", **more}, follow=True)


def test_the_cause_is_kept_while_a_task_is_failed(alice: User, web: Client) -> None:
    task = a_failure(alice)
    assert task.cause
    press(web, "retry")
    task.refresh_from_db()
    assert (task.status, task.attempt) == ("QUEUEING", 2)
    assert task.cause is None
    record([batch(finished(task, 2))])
    assert not Task.objects.exclude(cause=None).exists()


def test_failures_are_grouped_by_cause(web: Client, alice: User) -> None:
    for n in range(3):
        a_failure(alice, name=f"fit {n}")
    a_failure(alice, "mails", name="mail", kind="demo.coin", queue="coins")
    fail(a_task(alice, name="slow"), reason="TIMEOUT", error_type="TimeLimit")
    html = text_of(web.get("/failures/"))
    rows = [words_of(part) for part in html.split("<tr ")[1:]]
    assert len(rows) == 3
    assert re.match(
        r"TimeLimit it ran longer than it may 1 1 in the last 24 h, 1 in the worst hour .* \d+ slow no demo.noop",
        rows[0],
    )
    assert "handlers/mails.py , in run a / b 1" in rows[1]
    assert "mail no demo.coin in coins" in rows[1]
    assert "handlers/fits.py , in run a / b 3 3 in the last 24 h" in rows[2]
    assert "fit 2" in rows[2]
    assert "5 tasks, 3 causes" in words(web.get("/failures/"))


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("</tr>", 1)[0].split(">", 1)[1]).split())


def test_a_person_sees_their_own_and_staff_all(web: Client, alice: User, bob: User, sam: User) -> None:
    assert "None of your tasks is failed." in words(web.get("/failures/"))
    of_bob = a_failure(bob, name="secret of bob")
    assert "secret of bob" not in text_of(web.get("/failures/"))
    assert "No task is failed for this cause" in words(web.get(f"/failures/{of_bob.cause}/"))
    shown = f"1@{of_bob.finished_at.isoformat()}" if of_bob.finished_at else ""
    refused = web.post(f"/failures/{of_bob.cause}/delete/", {"shown": shown, "confirmed": "1"})
    assert (refused.status_code, Task.objects.count()) == (409, 1)
    mine = a_failure(alice, name="mine")
    assert mine.cause == of_bob.cause
    assert "1 task, 1 cause" in words(web.get("/failures/"))
    web.force_login(sam)
    assert "2 tasks, 1 cause" in words(web.get("/failures/"))


def test_the_page_of_a_cause_has_its_newest_tasks(web: Client, alice: User) -> None:
    tasks = [a_failure(alice, name=f"fit {n}") for n in range(52)]
    said = words(web.get(f"/failures/{tasks[0].cause}/"))
    assert "fit 51" in said
    assert "fit 1 " not in said
    assert "The 50 that failed last of 52." in said


@pytest.mark.parametrize(("act", "done"), [("retry", "retried"), ("delete", "deleted")])
def test_without_a_script_the_number_is_confirmed_first(web: Client, alice: User, act: str, done: str) -> None:
    a_failure(alice)
    a_failure(alice)
    other = a_failure(alice, "mails")
    Task.objects.filter(pk=other.pk).update(finished_at=timezone.now() - timedelta(hours=30))
    cache.clear()
    address, _ = button(web, act)
    asked = web.post(address, {})
    assert f"{act.capitalize()} 2 tasks?" in words(asked)
    assert Task.objects.filter(status="FAILED").count() == 3
    assert f"2 tasks {done}." in words(press(web, act))
    assert Task.objects.get(status="FAILED") == other
    assert "1 task, 1 cause" in words(web.get("/failures/"))
    assert "none in the last 24 h" in words(web.get("/failures/"))


def test_only_what_was_shown_is_meant(web: Client, alice: User) -> None:
    before = a_failure(alice)
    address, shown = button(web, "delete")
    after = a_failure(alice)
    response = web.post(address, {"shown": shown}, headers=HTMX)
    assert "1 task deleted." in text_of(response)
    assert response["HX-Trigger"]
    assert list(Task.objects.all()) == [after]
    assert before.pk != after.pk


def test_a_group_of_which_some_are_gone_is_acted_on_and_a_bigger_one_left_alone(web: Client, alice: User) -> None:
    tasks = [a_failure(alice) for _ in range(8)]
    address, shown = button(web, "delete")
    response = web.post(address, {"shown": shown.replace("8@", "7@"), "confirmed": "1"})
    assert response.status_code == 409
    assert "7 failed tasks were shown, and of these there are 8 now." in words(response)
    Task.objects.filter(pk__in=[task.pk for task in tasks[:6]]).delete()
    assert "2 tasks deleted." in words(web.post(address, {"shown": shown, "confirmed": "1"}, follow=True))
    response = web.post(address, {"shown": shown, "confirmed": "1"})
    assert "No task of these is failed any more" in words(response)


@pytest.mark.parametrize("shown", ["", "many", "0@2026-01-01", "3@", "3@9999-99-99", "-1@2026-01-01T00:00:00+00:00"])
def test_what_does_not_say_how_many_are_meant_does_nothing(web: Client, alice: User, shown: str) -> None:
    task = a_failure(alice)
    response = web.post(f"/failures/{task.cause}/delete/", {"shown": shown, "confirmed": "1"})
    assert response.status_code == 409
    assert "It was not said how many tasks are meant" in words(response)
    assert Task.objects.count() == 1


def test_what_may_not_be_retried_is_told_and_holds_up_nothing(
    web: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_acts, "AT_ONCE", 2)
    Kind.objects.create(name="code.python", runs_code=True, announced_at=timezone.now())
    for kind in ("code.python", "code.python", "demo.noop", "code.python", "demo.noop"):
        a_failure(alice, kind=kind)
    said = words(press(web, "retry"))
    assert "2 tasks retried. 3 could not be: Task" in said
    assert set(Task.objects.filter(status="FAILED").values_list("kind", flat=True)) == {"code.python"}


def test_what_there_was_no_time_for_is_told(web: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_acts, "AT_ONCE", 2)
    monkeypatch.setattr(failure_acts, "ACT_SECONDS", -1.0)
    for _ in range(5):
        a_failure(alice)
    assert "2 tasks deleted. There was not the time for all: 3 are left." in words(press(web, "delete"))


def test_a_poll_brings_the_groups_that_changed_and_nothing_else(
    web: Client, alice: User, django_assert_num_queries: Any
) -> None:
    a_failure(alice, "mails")
    a_failure(alice)
    tag = text_of(web.get("/failures/")).split('hx-ptag="')[1].split('"')[0]
    with django_assert_num_queries(3):  # the session, the user, the tick
        same = web.get("/failures/changes/", headers={**HTMX, "HX-PTag": tag})
    assert (same.status_code, same.content) == (304, b"")
    task = a_failure(alice)
    response: Any = web.get("/failures/changes/", headers={**HTMX, "HX-PTag": tag})
    assert re.findall(r'hx-target="#([a-z-]+)', text_of(response)) == ["failures-summary", "failure-"]
    assert f"failure-{task.cause}" in text_of(response)
    a_failure(alice, "fresh")
    response = web.get("/failures/changes/", headers={**HTMX, "HX-PTag": response["HX-PTag"]})
    assert 'hx-target="#failures"' in text_of(response)


def test_the_page_of_a_cause_lives(web: Client, alice: User, bob: User, django_assert_num_queries: Any) -> None:
    first = a_failure(alice)
    address = f"/failures/{first.cause}/"
    tag = text_of(web.get(address)).split('hx-ptag="')[1].split('"')[0]

    def poll() -> Any:
        cache.clear()
        return web.get(f"{address}changes/", headers={**HTMX, "HX-PTag": tag})

    with django_assert_num_queries(3):  # the session, the user, the tick
        assert poll().status_code == 304
    a_failure(bob)
    assert (poll().status_code, poll().content) == (304, b"")
    second = a_failure(alice, name="fails later")
    html = text_of(poll())
    assert re.findall(r'hx-target="#([a-z-]+)"', html) == ["group-head", "group-facts", "group"]
    assert "fails later" in html
    assert "Retry 2 tasks" in html
    for task in (first, second):
        record([batch(finished(task, task.attempt))])
        Task.objects.filter(pk=task.pk).update(cause=None, status="FINISHED")
    html = text_of(poll())
    assert "Nothing left here" in html
    assert "No task is failed for this cause" in html


def test_many_causes_cost_as_many_queries_as_one(
    web: Client, alice: User, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [a_task(alice) for _ in range(60)]
    for n, task in enumerate(tasks):
        fail(task, f"place{n}")
    with django_assert_max_num_queries(20):
        said = words(web.get("/failures/"))
    assert "place59" in said
    assert "50 causes are shown, of 60, those that occurred last." in said
    cache.clear()
    monkeypatch.setattr(failures, "MOST_CAUSES", 55)
    monkeypatch.setattr("apps.tasks.failure_table.MOST_CAUSES", 55)
    assert "of more than" in words(web.get("/failures/"))


def test_those_of_before_the_update_get_their_causes(alice: User) -> None:
    causes = {task.pk: task.cause for task in (a_failure(alice), a_failure(alice), a_failure(alice, "mails"))}
    ran = a_task(alice)
    Task.objects.update(cause=None)
    import_module("apps.tasks.migrations.0007_causes_of_failures").fill(apps, None)
    assert dict(Task.objects.exclude(pk=ran.pk).values_list("pk", "cause")) == causes
    assert Task.objects.get(pk=ran.pk).cause is None


@pytest.mark.parametrize("path", ["/failures/", "/failures/changes/", "/failures/0123456789abcdef/"])
def test_a_stranger_is_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert "/login/" in client.get(path)["Location"]


ACT = """mutation($input: FailureGroupActionInput!) { %sFailureGroup(input: $input) {
    doneCount refusedCount refusal leftCount userErrors { message code } } }"""


def by_page(user: User, act: str, cause: str, shown: Shown) -> str:
    client = Client()
    client.force_login(user)
    value = f"{shown.count}@{shown.last_at.isoformat()}"
    return words(client.post(f"/failures/{cause}/{act}/", {"shown": value, "confirmed": "1"}, follow=True))


def by_graphql(user: User, act: str, cause: str, shown: Shown) -> str:
    given = {"fingerprint": cause, "count": shown.count, "lastSeenAt": shown.last_at.isoformat()}
    answer = Asker.of(user).data(ACT % act, input=given)[f"{act}FailureGroup"]
    if answer["userErrors"]:
        return str(answer["userErrors"])
    past = {"retry": "retried", "delete": "deleted"}[act]
    said = f"{answer['doneCount']} task{'' if answer['doneCount'] == 1 else 's'} {past}."
    return f"{said} {answer['refusedCount']} could not be: {answer['refusal']}" if answer["refusedCount"] else said


@pytest.mark.parametrize("door", [by_page, by_graphql])
def test_both_doors_do_the_same_and_let_in_the_same(
    kinds: dict[str, Kind], alice: User, bob: User, door: Callable[[User, str, str, Shown], str]
) -> None:
    Kind.objects.create(name="code.python", runs_code=True, announced_at=timezone.now())
    tasks = [a_failure(alice), a_failure(alice, kind="code.python"), a_failure(alice)]
    cause, last_at = str(tasks[2].cause), tasks[2].finished_at
    assert last_at
    shown = Shown(3, last_at)
    foreign, other = a_failure(bob), a_failure(bob)
    assert "there are 2 now" in door(bob, "delete", cause, Shown(1, timezone.now()))
    assert "No task of these is failed any more" in door(bob, "delete", "0" * 16, shown)
    said = door(alice, "retry", cause, shown)
    assert "2 tasks retried. 1 could not be: Task" in said
    assert "1 task deleted." in door(alice, "delete", cause, Shown(1, last_at))
    assert set(Task.objects.values_list("pk", "status")) == {
        (tasks[0].pk, "QUEUEING"),
        (tasks[2].pk, "QUEUEING"),
        (foreign.pk, "FAILED"),
        (other.pk, "FAILED"),
    }
    assert "It was not said how many" in door(bob, "delete", cause, Shown(0, timezone.now()))


def test_acting_on_a_group_takes_a_token_that_may_write(alice: User) -> None:
    given = {"fingerprint": "0" * 16, "count": 1, "lastSeenAt": "2026-03-01T12:00:00"}
    assert code_of(Asker.of(alice, Scope.TASKS_READ).ask(ACT % "delete", input=given)) == "FORBIDDEN"
    assert "lastSeenAt needs a time zone" in str(Asker.of(alice).ask(ACT % "delete", input=given))


def test_graphql_tells_the_same(alice: User, bob: User) -> None:
    a_failure(bob, "mails")
    tasks = [a_failure(alice, name=f"fit {n}") for n in range(3)]
    asker = Asker.of(alice)
    sample = "sample { number error { message fingerprint } }"
    query = f"{{ failureGroups {{ fingerprint type place line message count exact {sample} }} }}"
    (group,) = asker.data(query)["failureGroups"]
    assert group == {
        "fingerprint": tasks[0].cause,
        "type": "ValueError",
        "place": "handlers/fits.py, in run",
        "line": "a / b",
        "message": "no",
        "count": 3,
        "exact": True,
        "sample": {"number": tasks[2].pk, "error": {"message": "no", "fingerprint": tasks[0].cause}},
    }
    of_cause = "query($of: ID) { tasks(filter: {fingerprint: $of}) { nodes { number } } }"
    of_it = asker.data(of_cause, of=tasks[0].cause)["tasks"]["nodes"]
    assert [node["number"] for node in of_it] == [task.pk for task in reversed(tasks)]
    assert asker.data('{ failureGroups(since: "2099-01-01T00:00:00Z") { count } }')["failureGroups"] == []
    assert "first must be from 0 to 100" in str(asker.ask("{ failureGroups(first: 101) { count } }"))
