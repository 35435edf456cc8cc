"""Who may have code run that people write: asked of the one service, through the pages and GraphQL alike."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.utils import timezone

from apps.queues import heartbeats
from apps.tasks.models import Attempt, Kind, Task
from tests.fixtures.asking import Asker
from tests.tasks.rows import a_task, text_of
from workers.sandbox.kind import announcement

NEEDS = "code.python runs code, for which you need the permission “Can run code that they write”: ask an administrator."
CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
    task { kind { name runsCode } params } userErrors { field message code }
} }"""
RETRY = """mutation ($id: ID!) { retryTask(input: {id: $id}) {
    task { status } userErrors { field message code }
} }"""
KINDS = "{ kinds { name runsCode viewerCanCreate } }"
TASK = "query ($number: Int) { task(number: $number) { viewerCan { retry delete } } }"
TYPED = {"name": "sum", "kind": "code.python", "p.code": "1 +\r\n1"}
DRAFT = {"name": "sum", "kind": "code.python", "params": {"code": "1 + 1"}}


@pytest.fixture(autouse=True)
def code(kinds: dict[str, Kind]) -> Kind:
    beat = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": [], "kinds": [announcement()]}
    heartbeats.record([("w1", beat)], timezone.now())
    return Kind.objects.get(name="code.python")


@pytest.fixture
def may(alice: User) -> None:
    alice.user_permissions.add(Permission.objects.get(codename="can_run_code"))


def has_ended(user: User, **fields: Any) -> Task:
    return a_task(user, kind="code.python", params={"code": "1"}, status="FAILED", dispatch_at=None, **fields)


def test_the_announcement_says_that_it_runs_code(code: Kind) -> None:
    assert code.runs_code
    assert not Kind.objects.get(name="demo.noop").runs_code


@pytest.mark.usefixtures("may")
def test_who_may_creates_it_on_the_page(web: Client) -> None:
    html = text_of(web.get("/tasks/new/?kind=code.python"))
    assert '<option value="code.python" selected>' in html
    assert '<textarea name="p.code"' in html
    assert web.post("/tasks/new/", TYPED).status_code == 302
    assert Task.objects.get().params == {"code": "1 +\n1"}


@pytest.mark.usefixtures("may")
def test_the_form_begins_with_a_handler_all_the_same(web: Client) -> None:
    assert '<option value="demo.coin" selected>' in text_of(web.get("/tasks/new/"))


def test_who_may_not_is_not_shown_it(web: Client) -> None:
    assert "code.python" not in text_of(web.get("/tasks/new/"))


def test_who_may_not_is_told_and_keeps_what_was_typed(web: Client) -> None:
    response = web.post("/tasks/new/", TYPED)
    html = text_of(response)
    assert response.status_code == 422
    assert NEEDS in html
    assert "1 +" in html
    assert not Task.objects.exists()


def test_who_may_not_is_told_together_with_what_else_is_wrong(web: Client) -> None:
    html = text_of(web.post("/tasks/new/", {**TYPED, "run_at": "soon"}))
    assert NEEDS in html
    assert "1 +" in html


def test_who_may_not_any_more_neither_retries_nor_edits(web: Client, alice: User) -> None:
    task = has_ended(alice)
    html = text_of(web.post("/tasks/retry/", {"number": task.pk}))
    assert f"Task {task.pk} runs code, for which you need the permission" in html
    assert Task.objects.get().status == "FAILED"
    assert NEEDS in text_of(web.get(f"/tasks/new/?from={task.pk}"))
    assert ">Retry</button>" not in text_of(web.get(f"/tasks/{task.pk}/"))


def test_staff_without_the_permission_may_not_retry_what_another_wrote(alice: User, sam: User) -> None:
    [error] = Asker.of(sam).data(RETRY, id=str(has_ended(alice).pk))["retryTask"]["userErrors"]
    assert error["code"] == "FORBIDDEN"


@pytest.mark.usefixtures("may")
def test_who_may_creates_and_retries_over_graphql(alice: User) -> None:
    asker = Asker.of(alice)
    created = asker.data(CREATE, input=DRAFT)["createTask"]
    assert created == {
        "task": {"kind": {"name": "code.python", "runsCode": True}, "params": {"code": "1 + 1"}},
        "userErrors": [],
    }
    task = has_ended(alice)
    assert asker.data(TASK, number=task.pk)["task"]["viewerCan"] == {"retry": True, "delete": True}
    assert asker.data(RETRY, id=str(task.pk))["retryTask"] == {"task": {"status": "QUEUEING"}, "userErrors": []}


def test_who_may_not_is_told_over_graphql(alice: User) -> None:
    asker = Asker.of(alice)
    refused = {"field": ["kind"], "message": NEEDS, "code": "FORBIDDEN"}
    assert asker.data(CREATE, input=DRAFT)["createTask"] == {"task": None, "userErrors": [refused]}
    task = has_ended(alice)
    [error] = asker.data(RETRY, id=str(task.pk))["retryTask"]["userErrors"]
    assert (error["field"], error["code"]) == (["id"], "FORBIDDEN")
    assert asker.data(TASK, number=task.pk)["task"]["viewerCan"] == {"retry": False, "delete": True}
    assert not Task.objects.exclude(pk=task.pk).exists()


@pytest.mark.parametrize("is_superuser", [False, True])
def test_graphql_tells_which_kinds_are_open(alice: User, is_superuser: bool) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=is_superuser)
    kinds = Asker.of(User.objects.get(pk=alice.pk)).data(KINDS)["kinds"]
    assert {"name": "code.python", "runsCode": True, "viewerCanCreate": is_superuser} in kinds
    assert {"name": "demo.noop", "runsCode": False, "viewerCanCreate": True} in kinds


def test_nobody_is_told_of_a_kind_that_is_closed_to_them(alice: User) -> None:
    [error] = Asker.of(alice).data(CREATE, input={**DRAFT, "kind": "nope"})["createTask"]["userErrors"]
    assert error["message"] == "There is no kind 'nope'. Kinds: demo.coin, demo.noop."


@pytest.mark.usefixtures("may")
def test_switched_off_nobody_may_and_both_doors_say_what_switches_it_on(web: Client, alice: User) -> None:
    said = "runs code, which is switched off on this server: who runs it can set MILLRACE_CODE=on"
    task, asker = has_ended(alice), Asker.of(alice)
    with override_settings(CODE=False):
        assert "Code written here is switched off on this server" in text_of(web.get("/tasks/new/"))
        html = text_of(web.post("/tasks/new/", TYPED))
        assert f"code.python {said}." in html
        assert ">code.python (switched off here)</option>" in html
        assert "1 +" in html
        assert said in text_of(web.post("/tasks/retry/", {"number": task.pk}))
        assert ">Retry</button>" not in text_of(web.get(f"/tasks/{task.pk}/"))
        refused = {"field": ["kind"], "message": f"code.python {said}.", "code": "FORBIDDEN"}
        assert asker.data(CREATE, input=DRAFT)["createTask"] == {"task": None, "userErrors": [refused]}
        assert {"name": "code.python", "runsCode": True, "viewerCanCreate": False} in asker.data(KINDS)["kinds"]
        assert "Run code from the editor (switched off on this server)" in text_of(web.get("/account/"))
    assert Task.objects.get().status == "FAILED"
    assert "switched off" not in text_of(web.get("/tasks/new/")) + text_of(web.get("/account/"))


@pytest.mark.usefixtures("may")
def test_the_form_says_when_no_worker_has_a_sandbox(web: Client) -> None:
    said = "No worker here has a sandbox, so code is refused."
    beat = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": [], "kinds": [announcement()]}
    for name, level, told in (("w1", "none", True), ("w2", "reduced", False)):
        heartbeats.record([(name, {**beat, "environment": {"sandbox": level}})], timezone.now())
        assert (said in text_of(web.get("/tasks/new/?kind=code.python"))) is told


@pytest.mark.usefixtures("may")
def test_the_page_shows_the_code_and_no_parameters_but_it(web: Client, alice: User) -> None:
    code = "x = '<b>'\n\n\nx\n"
    task = a_task(alice, kind="code.python", params={"code": code})
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert (
        '<pre id="code-1-text" data-highlights="python" hx-morph-skip>\nx = &#x27;&lt;b&gt;&#x27;\n\n\nx\n</pre>'
        in html
    )
    assert '<pre class="line-numbers" aria-hidden="true">1\n2\n3\n4\n</pre>' in html
    assert "Parameters" not in html


def test_code_of_any_kind_is_shown_beside_its_other_parameters(web: Client, alice: User) -> None:
    properties = {"left": {"type": "string", "widget": "code"}, "right": {"type": "string", "widget": "code"}, "n": {}}
    Kind.objects.create(name="compare", schema={"properties": properties}, announced_at=timezone.now())
    task = a_task(alice, kind="compare", params={"left": "a()", "right": "b()", "n": 5})
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert "Code: left" in html
    assert '<pre id="code-2-text" data-highlights="python" hx-morph-skip>\nb()</pre>' in html
    assert web.get(f"/tasks/{task.pk}/").context["sheet"].other_params == {"n": 5}


def test_what_is_no_text_is_shown_as_it_is(web: Client, alice: User) -> None:
    task = a_task(alice, kind="code.python", params={"code": ["a()"]})
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert "data-highlights" not in html
    assert "a()" in html


@pytest.mark.usefixtures("may")
def test_code_that_failed_is_edited_with_its_faulty_line_told(web: Client, alice: User) -> None:
    task = has_ended(alice)
    now = timezone.now()
    traceback = 'Traceback (most recent call last):\n  File "<code>", line 1, in <module>\nValueError: no\n'
    ended: dict[str, Any] = {"status": "FAILED", "reason": "ERROR", "started_at": now, "traceback": traceback}
    Attempt.objects.create(task=task, number=1, worker="w1", **ended)
    assert "the code raised an error" in text_of(web.get(f"/tasks/{task.pk}/"))
    html = text_of(web.get(f"/tasks/new/?from={task.pk}"))
    assert 'data-faulty-line="1"' in html
    assert "went wrong in line 1." in html
    schema = {"properties": {"rule": {"type": "string", "widget": "code"}}}
    Kind.objects.create(name="formula", schema=schema, announced_at=now)
    for other in ("p.code=2", "kind=formula"):
        assert "data-faulty-line" not in text_of(web.get(f"/tasks/new/?from={task.pk}&{other}"))
