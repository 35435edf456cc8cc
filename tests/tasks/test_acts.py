"""Creating and deleting on the pages: what acts answer, with and without HTMX, and that nothing typed is lost."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.tasks.models import Kind, Task
from tests.tasks.rows import a_task, text_of

HTMX = {"HX-Request": "true"}
FORM = "application/x-www-form-urlencoded"


def test_a_created_task_is_in_the_table(web: Client) -> None:
    response = web.post("/tasks/new/", {"name": "fit", "kind": "demo.coin", "p.sides": "2", "p.side": '"heads"'})
    assert (response.status_code, response["Location"]) == (302, "/tasks/")
    task = Task.objects.get()
    assert task.params == {"sides": 2, "side": "heads"}
    html = text_of(web.get("/tasks/"))
    assert f"Task {task.pk} created." in html
    assert "fit" in html


def test_a_task_created_in_the_dialog_answers_with_a_toast(web: Client) -> None:
    response = web.post("/tasks/new/", {"name": "fit", "kind": "demo.noop"}, headers=HTMX)
    assert response.status_code == 201
    assert "task-created" in response["HX-Trigger"]
    assert f"Task {Task.objects.get().pk} created." in text_of(response)
    assert "<html" not in text_of(response)


def test_a_task_created_on_the_forms_own_page_leads_to_the_table(web: Client) -> None:
    assert 'name="alone"' in text_of(web.get("/tasks/new/"))
    refused = web.post("/tasks/new/", {"alone": "1", "name": "", "kind": "demo.noop"}, headers=HTMX)
    assert 'name="alone"' in text_of(refused)
    response = web.post("/tasks/new/", {"alone": "1", "name": "fit", "kind": "demo.noop"}, headers=HTMX)
    assert response["HX-Redirect"] == "/tasks/"
    assert f"Task {Task.objects.get().pk} created." in text_of(web.get("/tasks/"))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_refused_form_keeps_what_was_typed(web: Client, headers: dict[str, str]) -> None:
    typed = {"name": " ", "kind": "demo.noop", "p.x": '{"half": '}
    response = web.post("/tasks/new/", typed, headers=headers)
    html = text_of(response)
    assert response.status_code == 422
    assert "Give the task a name." in html
    assert "{&quot;half&quot;: " in html
    assert 'aria-describedby="id_name_error"' in html
    assert html.split('id="create-form"')[1].split("</form>")[0].count("autofocus") == 1
    assert not Task.objects.exists()
    assert ("<html" in html) == (not headers)


def test_an_unknown_kind_keeps_what_was_typed(web: Client) -> None:
    response = web.post("/tasks/new/", {"name": "kept", "kind": "gone", "p.speed": "as typed"})
    assert response.status_code == 422
    assert 'value="as typed"' in text_of(response)
    assert "There is no kind &#x27;gone&#x27;. Kinds: demo.coin, demo.noop." in text_of(response)
    assert 'value="kept"' in text_of(response)


def test_choosing_a_kind_without_script_shows_its_parameters_and_keeps_the_rest(web: Client) -> None:
    typed = {"choose": "1", "name": "€" * 600, "kind": "demo.coin", "run_at": "2030-01-01T10:00"}
    response = web.post("/tasks/new/", typed)
    html = text_of(response)
    assert response.status_code == 200
    for part in ['name="p.sides"', f'value="{"€" * 600}"', 'value="2030-01-01T10:00"', "Throws a coin."]:
        assert part in html
    assert "errorlist" not in html
    assert not Task.objects.exists()


def test_another_kinds_parameters_are_shown_before_it_is_created(web: Client) -> None:
    typed = {"name": "kept", "kind": "demo.coin", "shown": "demo.noop", "p.x": "1"}
    response = web.post("/tasks/new/", typed)
    html = text_of(response)
    assert response.status_code == 422
    assert "These are demo.coin's parameters: check them and create." in html
    assert 'name="p.failure_rate" value="0.4"' in html
    assert 'value="kept"' in html
    assert "errorlist" not in html
    typed = {"name": "kept", "kind": "demo.coin", "shown": "demo.coin", "p.sides": "2"}
    assert web.post("/tasks/new/", typed).status_code == 302


def test_another_task_like_one_starts_from_what_that_was(web: Client, alice: User, bob: User) -> None:
    task = a_task(alice, name="again", kind="demo.coin", params={"sides": 6, "failure_rate": 0.5, "side": "tails"})
    assert f'href="/tasks/new/?from={task.pk}"' in text_of(web.get(f"/tasks/{task.pk}/"))
    html = text_of(web.get(f"/tasks/new/?from={task.pk}"))
    for part in ['value="again"', 'name="p.sides" value="6"', 'name="p.failure_rate" value="0.5"']:
        assert part in html
    assert '<option value="&quot;tails&quot;" selected' in html
    secret = a_task(bob, name="secret")
    pages = [text_of(web.get(f"/tasks/new/?from={number}")) for number in (secret.pk, task.pk + 999, "x", "9" * 30)]
    assert not [page for page in pages if "secret" in page]
    said = [" is not there (any more): nothing is filled in from it." in page for page in pages]
    assert said == [True, True, False, False]  # of a number that a task might have
    assert "(any more)" not in html


def test_another_task_like_one_has_its_limits_where_they_are_its_own(web: Client, alice: User) -> None:
    Kind.objects.update(timeout_seconds=60, max_attempts=3)
    own = text_of(web.get(f"/tasks/new/?from={a_task(alice, timeout_seconds=7.5, max_attempts=5, priority=-3).pk}"))
    assert 'name="timeout_seconds" value="7.5"' in own
    assert 'name="max_attempts" value="5"' in own
    assert 'name="priority" value="-3"' in own
    kinds = text_of(web.get(f"/tasks/new/?from={a_task(alice, timeout_seconds=60.0, max_attempts=3).pk}"))
    assert 'name="timeout_seconds" value' not in kinds
    assert 'name="priority" value' not in kinds
    assert 'placeholder="60"' in kinds
    assert 'placeholder="3"' in kinds


def typed_again(html: str, **changed: str) -> dict[str, str]:
    key = html.split('name="idempotency_key" value="')[1].split('"', maxsplit=1)[0]
    return {"name": "fit", "kind": "demo.noop", "p.x": "[1]", "idempotency_key": key, **changed}


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_form_sent_twice_makes_one_task(web: Client, headers: dict[str, str]) -> None:
    typed = typed_again(text_of(web.get("/tasks/new/")))
    first = web.post("/tasks/new/", typed, headers=headers)
    second = web.post("/tasks/new/", typed, headers=headers)
    said = text_of(second) if headers else text_of(web.get("/tasks/"))
    assert (first.status_code, second.status_code) == ((201, 200) if headers else (302, 302))
    assert f"Task {Task.objects.get().pk} was created already." in said
    assert typed_again(text_of(web.get("/tasks/new/"))) != typed


@pytest.mark.parametrize("changed", [{"name": "other"}, {"p.x": "2"}, {"max_attempts": "7"}])
def test_a_form_changed_after_it_was_sent_keeps_what_was_typed_and_asks(web: Client, changed: dict[str, str]) -> None:
    typed = typed_again(text_of(web.get("/tasks/new/")))
    web.post("/tasks/new/", typed)
    made = Task.objects.get()
    response = web.post("/tasks/new/", {**typed, **changed})
    html = text_of(response)
    assert response.status_code == 422
    assert f'<a href="/tasks/{made.pk}/">{made.pk}</a> was already created from this form.' in html
    for value in changed.values():
        assert f'value="{value}"' in html or f">\n{value}</textarea>" in html
    assert "errorlist" not in html
    assert typed_again(html)["idempotency_key"] != typed["idempotency_key"]
    assert web.post("/tasks/new/", {**typed_again(html), **changed}).status_code == 302
    assert Task.objects.count() == 2


def test_a_key_that_is_none_is_replaced(web: Client) -> None:
    response = web.post("/tasks/new/", {"name": "fit", "kind": "demo.noop", "idempotency_key": "\n"})
    assert response.status_code == 422
    assert "1 to 200 ASCII characters" in text_of(response)
    assert web.post("/tasks/new/", typed_again(text_of(response))).status_code == 302


def test_without_a_kind_the_form_says_to_start_a_worker(web: Client) -> None:
    Kind.objects.all().delete()
    assert "Start a worker" in text_of(web.get("/tasks/new/"))


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"name": "\0", "kind": "\0"},
        {"kind": "demo.coin", "name": "n", "p.sides": "9" * 5000},
        {"name": ["a", "b"], "kind": "demo.coin", "p.sides": "2", "p.side": "heads"},
    ],
)
def test_no_form_makes_an_error(web: Client, typed: dict[str, Any]) -> None:
    assert web.post("/tasks/new/", typed).status_code == 422


@pytest.mark.parametrize("name", ["a%ed%a0%80b", "a%ff", "%c3"])
def test_a_name_that_is_no_text_is_refused_and_kept(web: Client, name: str) -> None:
    response = web.generic("POST", "/tasks/new/", f"name={name}&kind=demo.noop", FORM)
    assert response.status_code == 422
    assert "Not valid Unicode" in text_of(response)
    assert "\ufffd" in text_of(response).split('name="name"')[1].split(">")[0]


def test_a_file_instead_of_a_name_is_no_name(web: Client) -> None:
    response = web.post("/tasks/new/", {"name": SimpleUploadedFile("n.txt", b"x"), "kind": "demo.noop"})
    assert response.status_code == 422
    assert "Give the task a name." in text_of(response)


def test_too_much_is_a_page_that_says_so(web: Client) -> None:
    response = web.post("/tasks/new/", {"name": "x" * 1_100_000, "kind": "demo.noop"})
    assert response.status_code == 413
    response = web.post("/tasks/new/", f"name={'x' * 1_100_000}", content_type=FORM)
    assert response.status_code == 413
    assert "larger than 1 MiB" in text_of(response)


def test_too_many_fields_are_a_page_that_says_so(web: Client) -> None:
    response = web.post("/tasks/delete/", "&".join(["number=1"] * 10_000), content_type=FORM)
    assert response.status_code == 400
    assert "Too many fields" in text_of(response)


def test_selected_tasks_are_deleted(web: Client, alice: User) -> None:
    first, second, kept = a_task(alice), a_task(alice), a_task(alice)
    asked = {"number": [first.pk, second.pk], "next": "/tasks/?status=QUEUEING&after=9"}
    question = text_of(web.post("/tasks/delete/", asked))
    assert "Delete 2 tasks?" in question
    assert "cannot be undone" in question
    assert question.count('name="number"') == 2
    assert 'value="/tasks/?status=QUEUEING&amp;after=9"' in question
    assert Task.objects.count() == 3
    response = web.post("/tasks/delete/", {**asked, "confirmed": "1"})
    assert (response.status_code, response["Location"]) == (302, "/tasks/?status=QUEUEING&after=9")
    assert "2 tasks deleted." in text_of(web.get("/tasks/"))
    assert list(Task.objects.all()) == [kept]


@pytest.mark.parametrize(
    "foreign", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "list", "a/b", ""]
)
def test_a_delete_leads_to_no_foreign_site(web: Client, alice: User, foreign: str) -> None:
    typed = {"number": a_task(alice).pk, "confirmed": "1", "next": foreign}
    assert web.post("/tasks/delete/", typed)["Location"] == "/tasks/"


def test_a_task_that_is_already_gone_is_no_success(web: Client) -> None:
    html = text_of(web.post("/tasks/delete/", {"number": 7}, headers=HTMX))
    assert "toast info" in html
    assert "No longer there: nothing was deleted." in html


def test_a_delete_from_the_table_answers_with_a_toast(web: Client, alice: User) -> None:
    gone, running = a_task(alice), a_task(alice, status="RUNNING")
    response = web.post("/tasks/delete/", {"number": [gone.pk, running.pk]}, headers=HTMX)
    assert response.status_code == 200
    assert "tasks-changed" in response["HX-Trigger"]
    assert "1 task deleted." in text_of(response)
    assert f"Task {running.pk} is running" in text_of(response)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_running_task_is_not_deleted(web: Client, alice: User, headers: dict[str, str]) -> None:
    running = a_task(alice, status="RUNNING")
    response = web.post("/tasks/delete/", {"number": running.pk, "confirmed": "1"}, headers=headers)
    assert response.status_code == 409
    assert "is running: cancel it first" in text_of(response)
    assert ("tasks-changed" in response.get("HX-Trigger", "")) == bool(headers)  # what the page shows may be old
    assert Task.objects.exists()


def test_foreign_tasks_are_passed_over(web: Client, alice: User, bob: User) -> None:
    own, foreign = a_task(alice), a_task(bob)
    response = web.post("/tasks/delete/", {"number": [own.pk, foreign.pk]}, headers=HTMX)
    assert "1 task deleted." in text_of(response)
    assert list(Task.objects.all()) == [foreign]


@pytest.mark.parametrize("act", ["retry", "cancel", "delete", "priority"])
@pytest.mark.parametrize("numbers", [[], ["x"], ["1", "\0"], ["9" * 40], ["-1"], ["1"] * 1500])
def test_a_selection_of_no_tasks_is_refused(web: Client, act: str, numbers: list[str]) -> None:
    assert web.post(f"/tasks/{act}/", {"number": numbers}).status_code == 422


def test_ended_tasks_are_retried_at_once(web: Client, alice: User) -> None:
    ended, live = a_task(alice, status="FAILED"), a_task(alice)
    response = web.post("/tasks/retry/", {"number": [ended.pk, live.pk]}, headers=HTMX)
    assert response.status_code == 200
    assert "tasks-changed" in response["HX-Trigger"]
    assert "1 task retried." in text_of(response)
    assert f"Task {live.pk} is queueing: it can be retried once it has ended." in text_of(response)
    ended.refresh_from_db()
    assert (ended.status, ended.attempt) == ("QUEUEING", 2)
    again = web.post("/tasks/retry/", {"number": ended.pk})
    assert again.status_code == 409
    assert "Nothing was retried" in text_of(again)


def test_live_tasks_are_cancelled_after_a_question(web: Client, alice: User) -> None:
    running, waiting = a_task(alice, status="RUNNING"), a_task(alice)
    asked = {"number": [running.pk, waiting.pk], "next": f"/tasks/{running.pk}/"}
    question = text_of(web.post("/tasks/cancel/", asked))
    assert "Cancel 2 tasks?" in question
    assert "what runs is killed at once" in question
    assert 'action="/tasks/cancel/"' in question
    assert Task.objects.filter(status="CANCELLED").count() == 0
    response = web.post("/tasks/cancel/", {**asked, "confirmed": "1"})
    assert response["Location"] == f"/tasks/{running.pk}/"
    assert "2 tasks cancelled." in text_of(web.get("/tasks/"))
    assert Task.objects.filter(status="CANCELLED").count() == 2


def test_another_priority_is_asked_for_and_set_for_what_has_not_begun(web: Client, alice: User) -> None:
    first, second, running = a_task(alice), a_task(alice, reason="RETRY_WAIT"), a_task(alice, status="RUNNING")
    asked = {"number": [first.pk, second.pk, running.pk], "next": "/tasks/?q=a"}
    question = text_of(web.post("/tasks/priority/", asked))
    assert "Priority of 3 tasks" in question
    assert question.count('name="number"') == 3
    dialog = web.post("/tasks/priority/", asked, headers=HTMX)
    assert (dialog.status_code, dialog["HX-Retarget"], "<html" in text_of(dialog)) == (200, "#more", False)
    refused = web.post("/tasks/priority/", {**asked, "priority": "101"}, headers=HTMX)
    assert refused.status_code == 422
    assert 'value="101"' in text_of(refused)
    assert "Must be a whole number from -100 to 100" in text_of(refused)
    assert set(Task.objects.values_list("priority", flat=True)) == {0}
    assert web.post("/tasks/priority/", {**asked, "priority": "-42"})["Location"] == "/tasks/?q=a"
    said = text_of(web.get("/tasks/"))
    assert "2 tasks given priority -42." in said
    assert f"Task {running.pk} is running: only what has not begun can be given another priority." in said
    assert list(Task.objects.order_by("pk").values_list("priority", flat=True)) == [-42, -42, 0]


def test_many_refusals_are_told_in_three_lines(web: Client, alice: User) -> None:
    ended = [a_task(alice, status="FINISHED").pk for _ in range(12)]
    html = text_of(web.post("/tasks/cancel/", {"number": ended}, headers=HTMX))
    assert f"Task {ended[1]} has already ended (finished)." in html
    assert "And 10 more like that." in html
    assert html.count("toast warning") == 3
