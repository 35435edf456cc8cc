"""What pages answer to bad input, by the numbers of docs/bad-input.md: the status, the sentence, what was typed."""

import logging
import runpy
import socket
from html import escape
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from gunicorn.http.errors import (
    InvalidHeader,
    InvalidRequestLine,
    InvalidResponseHeader,
    LimitRequestHeaders,
    LimitRequestLine,
    UnsupportedTransferCoding,
)

from apps.tasks.models import Kind, Task
from apps.tasks.search import LONGEST
from config import serving
from config.content_policy import POLICY
from config.logs import _Line as Line
from tests.tasks.rows import a_task, text_of

HTMX = {"HX-Request": "true"}
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FORM = "application/x-www-form-urlencoded"
UNICODE = "Not valid Unicode: a NUL or half of a surrogate pair."
WHOLE = "Must be a whole number, such as 42"
FINITE = "Must be a finite number, such as 2.5"
MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "1 empty": ({"name": ""}, "Give the task a name."),
    "2 long": ({"name": "x" * 201}, "At most 200 characters (it has 201)."),
    "3 spaces": ({"name": "   "}, "Give the task a name."),
    "3 nothing visible": ({"name": "\u200b\u2060"}, "Give the task a name."),
    "5 right to left": ({"name": "a\u202eb"}, "Control characters are not allowed in a name."),
    "5 bell": ({"name": "a\x07b"}, "Control characters are not allowed in a name."),
    "6 NUL": ({"name": "a\0b"}, UNICODE),
    "6 NUL in JSON": ({"p.x": r'"\u0000"'}, UNICODE),
    "7 surrogate": ({"p.x": r'"\ud800"'}, UNICODE),
    "8 JSON": ({"p.x": f'"{"x" * 93_184}"'}, "At most 65,536 bytes (it has 93,186)."),
    "9 JSON": ({"p.x": '{\n  "a": }'}, "Not JSON: Expecting value in line 2, column 8."),
    "10 NaN": ({"p.x": "[NaN]"}, "NaN and Infinity are not JSON numbers."),
    "10 infinity": ({"p.x": "[-Infinity]"}, "NaN and Infinity are not JSON numbers."),
    "10 1e999": ({"p.x": "1e999"}, "NaN and Infinity are not JSON numbers."),
    "11 twice": ({"p.x": '{"a": 1, "a": 2}'}, "The name 'a' stands there twice."),
    "12 nested": ({"p.x": "[" * 10_000 + "]" * 10_000}, "Nested too deeply (limit 64)."),
    "13 digits": ({"p.x": "9" * 5_000}, "A whole number has at most 400 digits (one has 5,000)."),
    "14 letters": ({"p.paths": "abc"}, f'{WHOLE} (it is "abc").'),
    "14 Arabic": ({"p.drift": "٣"}, f'{FINITE} (it is "٣").'),
    "14 comma": ({"p.drift": "1,5"}, f'{FINITE} (it is "1,5").'),
    "14 huge": ({"p.drift": "1e400"}, 'Must be a number of at most 1.7e308 (it is "1e400").'),
    "14 zero": ({"p.paths": "-0"}, "Must be at least 1 (it is 0)."),
    "15 limit": ({"timeout_seconds": "0"}, "Must be from 0.001 to 604,800 seconds, which are seven days."),
    "15 negative": ({"timeout_seconds": "-1"}, "Must be from 0.001 to 604,800 seconds, which are seven days."),
    "15 huge": ({"max_attempts": str(10**12)}, "Must be from 1 to 100."),
    "15 priority": ({"priority": str(10**12)}, "Must be a whole number from -100 to 100: the higher goes first."),
    "16 far": ({"run_at": "9999-12-31T23:59", "zone": "UTC"}, "Must be within the next ten years."),
    "16 no day": ({"run_at": "2030-02-31T10:00", "zone": "UTC"}, "Not a date and time, such as 2030-01-31 14:05."),
    "16 gap": ({"run_at": "2030-03-31T02:30", "zone": "Europe/Berlin"}, "There is no such time in Europe/Berlin"),
    "16 zone": ({"run_at": "2030-01-01T10:00", "zone": "../etc"}, "The time zone '../etc' is not known."),
    "17 kind": ({"kind": "gone", "p.speed": "as typed"}, "There is no kind 'gone'. Kinds: fit."),
    "17 none": ({"kind": ""}, "Choose a kind."),
}  # fmt: skip


@pytest.mark.parametrize("number", MISTAKES)
def test_a_mistake_has_its_sentence_and_what_was_typed_is_kept(visitor: Client, number: str) -> None:
    typed, sentence = MISTAKES[number]
    sent = {"name": "the name", "kind": "fit", "p.x": '"kept"', **typed}
    response = visitor.post("/tasks/new/", sent, headers=HTMX)
    html = text_of(response)
    assert response.status_code == 422
    assert escape(sentence) in html
    assert all(escape(text) in html for text in sent.values())
    assert not Task.objects.exists()


# A NUL or half a letter, wherever a text is taken: 6 and 7

TEXTS = ["a\0b", "9" * 500, "'" + "x" * 5_000]
ASKED = [
    "/tasks/?q={}", "/tasks/?status={}", "/tasks/?order={}", "/tasks/?columns={}", "/tasks/?at={}", "/tasks/?after={}",
    "/tasks/completions/?q={}", "/tasks/copy/?q={}", "/tasks/new/?kind={}", "/tasks/new/?from={}&name={}",
    "/tasks/1/?attempt={}", "/tasks/1/output/?attempt={}", "/tasks/all/?q={}&act=retry", "/audit/?person={}",
    "/audit/?act={}", "/audit/?object={}", "/audit/?day={}", "/overview/?span={}", "/failures/?after={}",
    "/artifacts/1/{}", "/shared/{}/", "/shared/{}/artifacts/1/{}", "/start/{}", "/join/{}", "/login/?next={}",
    "/workers/environments/{}/", "/queues/{}/pause/", "/people/?q={}", "/admin/auth/user/?q={}",
    "/admin/auth/user/?username={}", "/admin/auth/user/{}/change/", "/static/{}", "/{}/",
]  # fmt: skip
SENT = [
    ("/login/", "username"), ("/login/", "password"), ("/workers/drain/", "name"), ("/workers/stop/", "name"),
    ("/workers/resume/", "name"), ("/queues/default/purge/", "name"), ("/account/tokens/", "name"),
    ("/account/tokens/", "scopes"), ("/account/password/", "new_password1"), ("/people/", "username"),
    ("/people/", "role"), ("/tasks/priority/", "priority"), ("/tasks/delete/", "number"), ("/tasks/retry/", "next"),
    ("/tasks/look/", "columns"), ("/tasks/look/", "rows"), ("/tasks/all/", "q"), ("/tasks/all/", "expected"),
    ("/tasks/new/", "idempotency_key"), ("/tasks/new/", "queue"), ("/tasks/1/shares/", "days"),
]  # fmt: skip


def test_no_text_in_an_address_is_a_fault_of_ours(desk: Client, fit: Kind) -> None:
    addresses = [address.replace("{}", quote(text, safe="")) for address in ASKED for text in TEXTS]
    assert [address[:80] for address in addresses if desk.get(address).status_code >= 500] == []


def test_no_text_in_a_field_is_a_fault_of_ours(desk: Client, fit: Kind) -> None:
    sent = {"confirmed": "1", "name": "n", "kind": "fit", "number": "1", "act": "retry"}
    faults = [
        (address, field, text[:20])
        for address, field in SENT
        for text in TEXTS
        if desk.post(address, {**sent, field: text}).status_code >= 500
    ]
    assert faults == []


def test_half_a_letter_is_told_where_it_stands(visitor: Client) -> None:
    form = "application/x-www-form-urlencoded"
    for letter in ("%ED%A0%80", "%FF"):
        response = visitor.post("/tasks/new/", f"name=a{letter}b&kind=fit", content_type=form)
        assert response.status_code == 422
        assert "Not valid Unicode: \ufffd stands where it could not be read. Type it anew." in text_of(response)


# The whole request: 8, 20 and 29


def test_too_large_or_too_many_is_a_page_that_names_the_limit(visitor: Client) -> None:
    sent: dict[str, Any] = {"name": "n", "kind": "fit", "p.x": "x" * 1_100_000}
    response = visitor.post("/tasks/new/", sent)
    assert (response.status_code, "larger than 1 MiB" in text_of(response)) == (413, True)
    response = visitor.post("/tasks/new/", {f"p.{number}": "1" for number in range(10_000)})
    assert (response.status_code, "more than 2,000 fields or 100 files" in text_of(response)) == (400, True)
    files = {f"f{number}": SimpleUploadedFile("f", b"x") for number in range(101)}
    response = visitor.post("/tasks/new/", files)
    assert (response.status_code, "more than 2,000 fields or 100 files" in text_of(response)) == (400, True)
    response = visitor.post("/tasks/new/", {"name": SimpleUploadedFile("name", b"x"), "kind": "fit"})
    assert (response.status_code, "Give the task a name." in text_of(response)) == (422, True)


def test_what_is_no_form_at_all_is_a_page_of_ours(visitor: Client) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é"):
        response = visitor.post("/tasks/new/", b"nonsense", content_type=content_type)
        assert (response.status_code, "<h1>Not understood</h1>" in text_of(response)) == (400, True)
    assert visitor.post("/tasks/new/", b"{}", content_type="application/json").status_code == 422


# Acts: 24 to 28


@pytest.mark.parametrize(
    ("act", "status", "sentence"),
    [
        ("cancel", "FINISHED", "Task {} has already ended (finished)."),
        ("cancel", "CANCELLED", "Task {} has already ended (cancelled)."),
        ("retry", "RUNNING", "Task {} is running: it can be retried once it has ended."),
        ("delete", "RUNNING", "Task {} is running: cancel it first."),
    ],
)
def test_what_cannot_be_done_now_is_a_conflict(
    visitor: Client, alice: User, act: str, status: str, sentence: str
) -> None:
    task = a_task(alice, status=status)
    for headers in ({}, HTMX):
        response = visitor.post(f"/tasks/{act}/", {"number": task.pk, "confirmed": "1"}, headers=headers)
        assert response.status_code == 409
        assert sentence.format(task.pk) in text_of(response)
    assert Task.objects.get().status == status


@pytest.mark.parametrize("act", ["cancel", "retry", "delete", "priority"])
def test_anothers_task_is_answered_as_one_that_never_was(visitor: Client, bob: User, act: str) -> None:
    task = a_task(bob, status="FAILED", name="secret")
    answers = [
        visitor.post(f"/tasks/{act}/", {"number": number, "confirmed": "1", "priority": "5"}, headers=HTMX)
        for number in (task.pk, task.pk + 1)
    ]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert "No longer there: nothing was" in text_of(answers[0])
    assert Task.objects.get() == task


@pytest.mark.parametrize(
    "path", ["cancel/", "retry/", "delete/", "again/", "priority/", "all/1/stop/", "1/shares/1/revoke/"]
)
def test_an_address_that_takes_a_form_says_so(visitor: Client, alice: User, path: str) -> None:
    task = a_task(alice)
    response = visitor.get(f"/tasks/{path}?number={task.pk}&confirmed=1")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "only takes what a form or a button sends, and nothing was changed" in text_of(response)
    assert Task.objects.get() == task


def test_an_act_whose_session_has_ended_comes_back_to_its_page(client: Client, db: None) -> None:
    sent = {"number": "1"}
    answer = client.post("/tasks/cancel/", sent, headers={"Referer": "http://testserver/tasks/7/?attempt=1"})
    assert answer["Location"] == "/login/?next=/tasks/7/%3Fattempt%3D1"
    for referer in ("https://evil.example/x", "", "//evil.example"):
        assert client.post("/tasks/cancel/", sent, headers={"Referer": referer})["Location"] == "/login/?next=/tasks/"


@pytest.mark.parametrize(
    ("numbers", "status", "sentence"),
    [
        ([], 422, "Choose at least one task."),
        (["abc"], 422, "Something else than a task&#x27;s number was selected."),
        (range(1, 1_002), 422, "At most 1,000 tasks at once (there are 1,001)."),
        (range(1, 3_000), 400, "The form has more than 2,000 fields or 100 files."),
        (range(1, 100_002), 413, "The form is larger than 1 MiB."),
    ],
)
def test_a_selection_that_is_none_or_too_many_says_so(
    visitor: Client, numbers: Any, status: int, sentence: str
) -> None:
    response = visitor.post("/tasks/delete/", urlencode([("number", each) for each in numbers]), content_type=FORM)
    assert response.status_code == status
    assert sentence in text_of(response)


def test_of_a_mixed_selection_ones_own_are_counted(visitor: Client, alice: User, bob: User) -> None:
    own, foreign = a_task(alice), a_task(bob)
    response = visitor.post("/tasks/delete/", {"number": [own.pk, foreign.pk], "confirmed": "1"}, headers=HTMX)
    assert "1 task deleted." in text_of(response)
    assert Task.objects.get() == foreign


def test_a_worker_that_is_none_cannot_be_asked_about(desk: Client) -> None:
    for name in ("", "gone", "a\0b"):
        response = desk.post("/workers/stop/", {"name": name})
        assert (response.status_code, "There is no worker" in text_of(response)) == (404, True)


# The address, the host, the headers: 21, 30 and 33


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}])
def test_another_host_is_refused_with_the_setting_that_allows_it(
    visitor: Client, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    response = visitor.get("/tasks/", headers=headers)
    assert "evil" not in text_of(response)
    if "Host" in headers:
        assert (response.status_code, "MILLRACE_ALLOWED_HOSTS" in text_of(response)) == (400, True)
        [told] = caplog.records
        assert Line().format(told).splitlines() == [f"error: {told.getMessage()}"]
    else:
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("refused", "status", "sentence"),
    [
        (LimitRequestLine(9_000, 8_190), "414 URI Too Long", "longer than 8,190 bytes. Shorten it"),
        (
            LimitRequestHeaders("x"),
            "431 Request Header Fields Too Large",
            "more than 16,384 bytes in one, most likely cookies",
        ),
        (UnsupportedTransferCoding("secret"), "501 Not Implemented", "(Transfer-Encoding)"),
        (InvalidRequestLine("GET /start/secret"), "400 Bad Request", "no request as a browser sends it"),
        (InvalidHeader("Authorization: secret"), "400 Bad Request", "no request as a browser sends it"),
        (InvalidResponseHeader("x"), "500 Internal Server Error", "the log has the details"),
    ],
)
def test_what_gunicorn_refuses_is_a_page_of_ours(
    refused: Exception, status: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    worker = object.__new__(serving.Worker)
    worker.cfg = SimpleNamespace(limit_request_line=8_190, limit_request_field_size=16_384, limit_request_fields=100)
    worker.log = logging.getLogger("gunicorn")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker.handle_error(None, ours, ("127.0.0.1", 1), refused)
        ours.shutdown(socket.SHUT_WR)
        answer = theirs.makefile(encoding="utf-8", newline="").read()
    head, page = answer.split("\r\n\r\n", 1)
    assert head.startswith(f"HTTP/1.1 {status}\r\n")
    assert f"Content-Length: {len(page.encode())}\r\n" in head
    assert sentence in page
    assert "Back to the tasks" in page
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    told = {"400 B": type(refused).__name__, "501 N": type(refused).__name__, "500 I": None}.get(status[:5], refused)
    assert caplog.messages == [f"{status}: {told}" if told else "a request failed outside of Django"]
    assert "secret" not in caplog.text


def test_the_longest_search_reaches_us() -> None:
    gunicorn = runpy.run_path("site/config/gunicorn.py")
    assert len(f"GET /tasks/?q={quote('ж' * LONGEST)} HTTP/1.1") <= gunicorn["limit_request_line"]
