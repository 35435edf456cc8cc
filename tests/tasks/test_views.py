"""The pages: who sees what, what acts answer with and without HTMX, and that no input makes an error of ours."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from apps.queues.models import Worker
from apps.tasks.models import Kind, Task
from tests.tasks.rows import a_task, an_attempt, text_of

HTMX = {"HX-Request": "true"}
FORM = "application/x-www-form-urlencoded"
PAYLOADS = [
    "<script>alert(1)</script>",
    "{{7*7}}",
    '" hx-get="/x',
    "<img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
]


def test_the_table_shows_the_seven_columns(web: Client, alice: User) -> None:
    task = a_task(alice, name="fit it", status="FINISHED", value_text="0.123456")
    html = text_of(web.get("/tasks/"))
    for part in [
        f'value="{task.pk}"',
        f'href="/tasks/{task.pk}/?sort=-created"',
        "fit it",
        "demo.noop",
        "0.1235",
        "is-finished",
        "just now",
    ]:
        assert part in html


def test_an_empty_table_says_what_to_do(web: Client) -> None:
    assert "No tasks yet" in text_of(web.get("/tasks/"))
    assert "No task is failed" in text_of(web.get("/tasks/?status=FAILED"))


def test_counts_lead_to_their_tasks(web: Client, alice: User) -> None:
    a_task(alice, status="FAILED", name="broken")
    a_task(alice, name="waiting")
    assert 'href="/tasks/?q=status%3AFAILED"' in text_of(web.get("/tasks/"))
    failed = text_of(web.get("/tasks/?status=FAILED"))
    assert "broken" in failed
    assert "waiting" not in failed


def test_pages_follow_each_other_by_number(web: Client, alice: User) -> None:
    numbers = [a_task(alice).pk for _ in range(120)][::-1]
    first, second = text_of(web.get("/tasks/")), text_of(web.get(f"/tasks/?after={numbers[49]}"))
    assert f"?after={numbers[49]}" in first
    assert usable(first) == ["Older"]
    assert usable(second) == ["Newest", "Newer", "Older"]
    assert f"<title>Tasks {numbers[50]} to {numbers[99]} ·" in second
    assert f'id="task-{numbers[50]}"' in second
    assert f"?before={numbers[50]}" in second
    assert f'id="task-{numbers[99]}"' in second
    assert f'id="task-{numbers[100]}"' not in second
    last = text_of(web.get(f"/tasks/?after={numbers[99]}"))
    assert usable(last) == ["Newest", "Newer"]
    back = text_of(web.get(f"/tasks/?before={numbers[100]}"))
    assert f'id="task-{numbers[50]}"' in back
    assert f'id="task-{numbers[49]}"' not in back


def test_a_page_of_newer_tasks_that_reaches_the_top_is_the_first(web: Client, alice: User) -> None:
    numbers = [a_task(alice).pk for _ in range(60)][::-1]
    html = text_of(web.get(f"/tasks/?before={numbers[20]}"))
    assert html.count('id="task-') == 50
    assert usable(html) == ["Older"]


def usable(html: str) -> list[str]:
    """The links of the pager that lead somewhere; all three are always there."""
    links = re.findall(r"<a ([^>]*)>\s*(?:<span[^>]*></span>)?(\w+)", html.split('aria-label="Pages"')[1])
    assert [word for _, word in links[:3]] == ["Newest", "Newer", "Older"]
    return [word for attributes, word in links[:3] if "href" in attributes]


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=abc", "page=" + "9" * 30, "after=0", "after=-1", "after=abc", "after=" + "9" * 30,
        f"after={2**63 - 1}", f"before={2**63 - 1}", f"seen={2**63 - 1}", f"after={2**63}", "after=1&before=2",
        "after=٣", "status=FOO", "status=%00", "sort=;drop%20table", "q=%00", "q=" + "x" * 3_000, "status=%ED%A0%80",
        "after=1&after=2",
    ],
)  # fmt: skip
def test_no_address_makes_an_error(web: Client, alice: User, query: str) -> None:
    a_task(alice)
    assert web.get(f"/tasks/?{query}").status_code == 200
    assert web.get(f"/tasks/changes/?{query}").status_code == 200
    assert web.get(f"/tasks/new/?{query}").status_code == 200


def test_ten_kilobytes_of_search_are_passed_over(web: Client) -> None:
    assert web.get("/tasks/", {"q": "x" * 10_000}).status_code == 200


def test_an_unknown_status_is_named(web: Client) -> None:
    assert "There is no status “&lt;b&gt;”" in text_of(web.get("/tasks/?status=<b>"))


@pytest.mark.parametrize(
    "path",
    [
        "/tasks/999999/",
        "/tasks/999999999999999999999999/",
        f"/tasks/{'9' * 5000}/",
        "/tasks/-1/",
        "/tasks/abc/",
        "/tasks/0/",
    ],
)
def test_a_number_of_no_task_is_a_page_in_our_style(web: Client, path: str) -> None:
    response = web.get(path)
    assert response.status_code == 404
    assert "Back to the tasks" in text_of(response)


def test_a_foreign_task_does_not_exist(web: Client, bob: User) -> None:
    foreign = a_task(bob, name="secret")
    for path in (f"/tasks/{foreign.pk}/", f"/tasks/{foreign.pk}/changes/"):
        response = web.get(path)
        assert response.status_code == 404
        assert "secret" not in text_of(response)
    assert "secret" not in text_of(web.get("/tasks/"))


def test_staff_see_every_task(client: Client, alice: User, sam: User) -> None:
    client.force_login(sam)
    task = a_task(alice, name="of alice")
    assert "of alice" in text_of(client.get("/tasks/"))
    assert "alice" in text_of(client.get(f"/tasks/{task.pk}/"))


def test_a_stranger_is_sent_to_sign_in(client: Client, db: None) -> None:
    response = client.get("/tasks/?status=FAILED")
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=/tasks/")


def test_a_poll_whose_session_ended_leaves_the_page(client: Client, db: None) -> None:
    headers = {**HTMX, "HX-Current-URL": "http://testserver/tasks/?status=FAILED"}
    response = client.get("/tasks/changes/", headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/login/?next=/tasks/%3Fstatus%3DFAILED&ended=1"
    assert not response.content


def test_forged_htmx_headers_show_no_more_than_the_page(web: Client, bob: User) -> None:
    a_task(bob, name="secret")
    headers = {**HTMX, "HX-Current-URL": "https://evil.example/", "HX-PTag": "1|0|x|a.b.c.d|1:zz", "HX-Target": "x"}
    for path in ("/tasks/", "/tasks/changes/", "/tasks/new/"):
        response = web.get(path, headers=headers)
        assert response.status_code == 200
        assert "secret" not in text_of(response)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_people_and_handlers_write_is_text(web: Client, alice: User, payload: str) -> None:
    Kind.objects.filter(name="demo.noop").update(doc=payload)
    done = a_task(alice, name=payload, params={"x": payload}, status="FINISHED", result=json.dumps(payload))
    failed = a_task(alice, name=payload, status="FAILED", worker=payload)
    an_attempt(failed, worker=payload, error_type=payload, error_message=payload, traceback=payload)
    for path in (
        "/tasks/",
        f"/tasks/{done.pk}/",
        f"/tasks/{failed.pk}/",
        "/tasks/changes/",
        f"/tasks/new/?kind=demo.noop&name={payload}",
    ):
        html = text_of(web.get(path))
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "<svg onload" not in html
        assert '" hx-get="/x' not in html
        assert "49" not in html.split("7*7")[-1][:4]


def test_a_failed_task_shows_its_error(web: Client, alice: User) -> None:
    task = a_task(alice, status="FAILED", reason="ERROR", params={"x": [1]})
    an_attempt(task, error_type="ValueError", error_message="x is odd", traceback="Traceback:\n  <module>")
    assert "ValueError: x is odd" in text_of(web.get("/tasks/"))
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    for part in ["ValueError", "x is odd", "Traceback:\n  &lt;module&gt;", "w1", "1.50 s", "&quot;x&quot;"]:
        assert part in html


def test_a_running_task_whose_worker_is_gone_waits_for_another(web: Client, alice: User) -> None:
    task = a_task(alice, status="RUNNING", worker="w1", started_at=timezone.now())
    an_attempt(task)
    assert "for another worker" in text_of(web.get("/tasks/"))
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert "has gone silent" in html
    assert "is-running" not in html
    assert "data-since" not in html
    a_worker("w1")
    assert "for another worker" not in text_of(web.get("/tasks/"))


@pytest.mark.parametrize(("value", "shown"), [("nan", "NaN"), ("inf", "∞"), ("-inf", "-∞")])
def test_what_is_no_number_is_shown_in_one_way(web: Client, alice: User, value: str, shown: str) -> None:
    task = a_task(alice, status="FINISHED", value_text=value)
    for path in ("/tasks/", f"/tasks/{task.pk}/"):
        html = text_of(web.get(path))
        assert f">{shown}<" in html
        assert f">{value}<" not in html
    assert f"it returned {shown}." in html


def test_a_whole_number_is_shown_once(web: Client, alice: User) -> None:
    task = a_task(alice, status="FINISHED", value_text="7", result="7")
    assert text_of(web.get(f"/tasks/{task.pk}/")).count(">7<") == 1


def test_the_keys_listed_are_those_that_do_something(web: Client, alice: User) -> None:
    task = a_task(alice)
    pages = {path: text_of(web.get(path)) for path in ("/tasks/", f"/tasks/{task.pk}/", "/tasks/new/")}
    assert ["Select the task" in html for html in pages.values()] == [True, False, False]
    assert ["Create a task" in html for html in pages.values()] == [True, True, False]
    assert ["Retry the task" in html for html in pages.values()] == [True, True, False]
    alice.groups.set(Group.objects.filter(name="Viewer"))
    for path in ("/tasks/", f"/tasks/{task.pk}/"):
        html = text_of(web.get(path))
        assert "Go to the tasks" in html
        assert not [act for act in ("Create a task", "Retry the task", "run it again") if act in html]


def test_all_is_counted_too(web: Client, alice: User) -> None:
    a_task(alice)
    a_task(alice, status="FAILED")
    assert "All <b>2</b>" in text_of(web.get("/tasks/"))


def test_a_scheduled_task_shows_its_time(web: Client, alice: User) -> None:
    a_task(alice, run_at=timezone.now() + timedelta(hours=1), reason="SCHEDULED")
    assert "data-clock" in text_of(web.get("/tasks/"))


def test_a_task_that_waits_for_a_try_shows_when_it_comes_and_what_failed(web: Client, alice: User) -> None:
    at = timezone.now() + timedelta(hours=1)
    task = a_task(alice, reason="RETRY_WAIT", attempt=2, errors=1, max_attempts=3, run_at=at)
    an_attempt(task, status="FAILED", reason="ERROR", error_type="KeyError", error_message="k", traceback="Trace <1>")
    assert re.search(r"next try <time [^>]*data-second>\d\d:\d\d:\d\d UTC", text_of(web.get("/tasks/")))
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    for part in (
        "after: KeyError: k.",
        "<b>Next try</b>",
        "Trace &lt;1&gt;",
        "1 of 3 failed",
        "1 attempt before",
    ):
        assert part in html
    for part in ("Scheduled for", "Not before", "waiting <time"):
        assert part not in html


def test_a_later_attempt_waits_from_when_it_was_due(web: Client, alice: User) -> None:
    now = timezone.now()
    times = {"created_at": now - timedelta(hours=9), "run_at": now - timedelta(seconds=30)}
    task = a_task(alice, status="FINISHED", attempt=2, **times, started_at=now - timedelta(seconds=20), finished_at=now)
    an_attempt(task, status="FAILED", error_type="KeyError")
    an_attempt(task, number=2, status="FINISHED", run_seconds=19)
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    for part in ("Attempt 2 due", "waited 10 s", "ran 19 s", 'id="error-1"'):
        assert part in html
    assert html.index('id="attempt-1"') < html.index('id="attempt-2"')


def test_a_cancelled_task_says_how_long_it_waited_or_ran(web: Client, alice: User) -> None:
    now = timezone.now()
    times = {"created_at": now - timedelta(seconds=60), "finished_at": now}
    waited = a_task(alice, status="CANCELLED", **times)
    ran = a_task(alice, status="CANCELLED", started_at=now - timedelta(seconds=20), **times)
    an_attempt(ran, started_at=now - timedelta(seconds=20), finished_at=now, run_seconds=None)
    early = a_task(alice, status="CANCELLED", run_at=now + timedelta(hours=1), **times)
    assert "waited 1 min" in text_of(web.get(f"/tasks/{waited.pk}/"))
    html = text_of(web.get(f"/tasks/{ran.pk}/"))
    assert "ran 20 s" in html
    assert 'data-label="Ran">20 s' in html
    assert "waited" not in text_of(web.get(f"/tasks/{early.pk}/")).split("timeline")[1]


def test_an_attempt_that_was_cancelled_ran_as_long_as_its_task_says(web: Client, alice: User) -> None:
    now = timezone.now()
    times = {"started_at": now - timedelta(seconds=2.97), "finished_at": now}
    task = a_task(alice, status="CANCELLED", **times)
    an_attempt(task, run_seconds=None, **times)
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert "ran 2.97 s" in html
    assert 'data-label="Ran">2.97 s' in html


def test_an_attempt_that_was_given_back_says_so(web: Client, alice: User) -> None:
    an_attempt(task := a_task(alice), run_seconds=None)
    assert "came back unfinished" in text_of(web.get(f"/tasks/{task.pk}/"))


def test_the_error_that_ended_a_task_stands_there_once(web: Client, alice: User) -> None:
    task = a_task(alice, status="FAILED", reason="ERROR", attempt=2, errors=2, max_attempts=2)
    an_attempt(task, error_type="KeyError", traceback="first traceback")
    an_attempt(task, number=2, error_type="ValueError", traceback="second traceback")
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert (html.count("first traceback"), html.count("second traceback")) == (1, 1)


def test_of_many_attempts_the_last_twenty_are_shown(web: Client, alice: User) -> None:
    task = a_task(alice, attempt=26)
    for number in range(1, 26):
        an_attempt(task, number=number, status="FAILED", error_type="E")
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert "The last 20." in html
    assert 'id="attempt-5"' not in html
    assert html.index('id="attempt-6"') < html.index('id="attempt-25"')


def test_the_facts_name_what_was_asked_for(web: Client, alice: User) -> None:
    fields = {"max_attempts": 4, "crashes": 1, "timeout_seconds": 90.0, "idempotency_key": "nightly-7", "priority": -7}
    html = text_of(web.get(f"/tasks/{a_task(alice, **fields).pk}/"))
    for part in ("<dt>Tries</dt><dd>4</dd>", "1 of 3", "1 min 30 s", "nightly-7", "<dd>-7</dd>"):
        assert part in html
    plain = text_of(web.get(f"/tasks/{a_task(alice).pk}/"))
    for word in ("Tries", "Crashes", "Time limit", "Key</dt>", "Priority</dt>"):
        assert word not in plain


@pytest.mark.parametrize(
    ("status", "acts"), [("QUEUEING", "Priority Cancel Delete"), ("RUNNING", "Cancel"), ("FAILED", "Retry Delete")]
)
def test_the_page_of_a_task_offers_what_can_be_done_with_it(web: Client, alice: User, status: str, acts: str) -> None:
    html = text_of(web.get(f"/tasks/{a_task(alice, status=status).pk}/")).split('id="sheet"')[1]
    buttons = re.findall(r"<button class=\"button small\"([^>]*)><span[^>]*></span>(\w+)", html)
    assert " ".join(word for attributes, word in buttons if "disabled" not in attributes) == acts
    assert ("cancel it first" in html) == (status == "RUNNING")


def test_a_table_of_fifty_costs_the_same_queries_as_one_of_one(
    web: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(50):
        an_attempt(a_task(alice, status="FAILED"), error_type="E")
    with django_assert_max_num_queries(23):
        web.get("/tasks/")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/tasks/delete/"),
        ("get", "/tasks/retry/"),
        ("post", "/tasks/"),
        ("post", "/tasks/1/"),
        ("put", "/tasks/new/"),
    ],
)
def test_a_wrong_method_changes_nothing(web: Client, method: str, path: str) -> None:
    assert getattr(web, method)(path).status_code == 405


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_form_of_another_session_is_refused_and_keeps_what_was_typed(
    alice: User, kinds: dict[str, Kind], headers: dict[str, str]
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    response = strict.post("/tasks/new/", {"name": "fit", "kind": "demo.noop"}, headers=headers)
    html = text_of(response)
    assert response.status_code == 403
    assert "Your session has changed" in html
    # Only a toast comes for HTMX, so the form stays as it is.
    assert ("<form" in html, "<html" in html, "hx-partial" in html) == (False, not headers, bool(headers))
    assert not Task.objects.exists()


def test_a_fault_of_ours_gets_a_number(alice: User, kinds: dict[str, Kind], monkeypatch: Any, caplog: Any) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.tasks.table.read", broken)
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    response = client.get("/tasks/")
    html = text_of(response)
    assert response.status_code == 500
    assert "secret detail" not in html
    error_id = html.split("Error <code>")[1].split("<")[0]
    assert f"error {error_id}" in caplog.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept-Language": "\x01;;q=zz"},
        {"If-None-Match": "rubbish"},
        {"Cookie": "x=" + "y" * 16_000},
        {"Cookie": ";;=,"},
    ],
)
def test_rubbish_in_headers_is_no_error(web: Client, headers: dict[str, str]) -> None:
    assert web.get("/tasks/", headers=headers).status_code < 500


def test_a_foreign_host_is_refused(web: Client) -> None:
    assert web.get("/tasks/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/tasks/", "/tasks/new/", "/tasks/424242/", "/login/"])
def test_every_answer_carries_the_headers_that_protect_it(web: Client, path: str) -> None:
    headers = web.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def a_worker(name: str) -> Worker:
    now = timezone.now()
    fields = {"host": "h", "pid": 1, "queues": ["default"], "concurrency": 1, "started_at": now, "last_seen_at": now}
    return Worker.objects.create(name=name, **fields)
