"""The door of GraphQL: who comes in, with what, and what everybody else is told."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from apps.accounts import secrets_text, tokens
from apps.accounts.models import Token
from apps.accounts.permissions import Scope
from apps.tasks import recording, services
from apps.tasks.models import Kind, Task
from tests.fixtures.asking import Asker, code_of

pytestmark = pytest.mark.django_db

VIEWER = {"query": "{ viewer { username } }"}
CREATE = 'mutation ($name: String!) { createTask(input: {name: $name, kind: "demo.noop"}) { task { number } } }'


def browser(user: User, *, strict: bool = True) -> Client:
    client = Client(enforce_csrf_checks=strict)
    client.force_login(user)
    return client


def post(client: Client, body: Any = VIEWER, **headers: str) -> Any:
    return client.post("/graphql/", json.dumps(body), content_type="application/json", headers=headers)


def csrf_token(client: Client) -> str:
    """As the page of a signed-in person carries it."""
    secret = "s" * 32
    client.cookies["millrace_csrf"] = secret
    return secret


# Who comes in


def test_a_token_is_enough(asker: Asker) -> None:
    response = asker.send(VIEWER)
    assert response.json() == {"data": {"viewer": {"username": "alice"}}}
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert not [name for name in response.headers if name.startswith("Access-Control")]


def test_a_token_opens_no_other_host(asker: Asker) -> None:
    assert asker.send(VIEWER, host="evil.example").status_code == 400


def test_a_token_makes_no_session(asker: Asker) -> None:
    response = asker.send(VIEWER)
    assert not response.cookies
    assert not hasattr(response.wsgi_request, "session")


def test_strangers_are_told_what_is_needed(client: Client) -> None:
    response = post(client)
    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("query", ["{ viewer { usernam } }", "{ __schema { types { name } } }", "{ viewer {"])
def test_strangers_learn_nothing_of_the_schema(client: Client, query: str) -> None:
    assert post(client, {"query": query}).content == post(client).content


def test_unknown_revoked_and_expired_tokens_get_the_same_answer(alice: User) -> None:
    asker, expired = Asker.of(alice), Asker.of(alice)
    Token.objects.filter(prefix=expired.token[:12]).update(expires_at=timezone.now() - timedelta(seconds=1))
    tokens.revoke(Token.objects.get(prefix=asker.token[:12]))
    unknown = Asker(secrets_text.make("mrp_"))
    answers = [each.send(VIEWER) for each in (asker, expired, unknown, Asker("nonsense"), Asker(""))]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_a_session_with_its_csrf_token_comes_in(alice: User) -> None:
    client = browser(alice)
    assert post(client, **{"X-CSRFToken": csrf_token(client)}).status_code == 200


def test_a_session_without_its_csrf_token_does_not(alice: User, noop: Kind) -> None:
    client = browser(alice)
    for headers in ({}, {"X-CSRFToken": "x" * 32}):
        response = post(client, {"query": CREATE, "variables": {"name": "n"}}, **headers)
        assert (response.status_code, code_of(response)) == (403, "FORBIDDEN")
        csrf_token(client)
    assert not Task.objects.exists()


def test_a_foreign_site_cannot_use_the_session(alice: User) -> None:
    client = browser(alice)
    response = post(client, Origin="https://evil.example", **{"X-CSRFToken": csrf_token(client)})
    assert response.status_code == 403


def test_a_token_needs_no_csrf_token_and_no_cookie(alice: User) -> None:
    asker = Asker.of(alice)
    asker.client = Client(enforce_csrf_checks=True)
    assert asker.send(VIEWER).status_code == 200


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic YWxpY2U6eA==", "Bearer", ""])
def test_a_bad_token_never_falls_back_to_the_session(alice: User, header: str) -> None:
    client = browser(alice, strict=False)
    assert post(client).status_code == 200
    assert post(client, Authorization=header).status_code == 401


def test_a_token_in_the_address_is_no_token(client: Client, asker: Asker) -> None:
    body = json.dumps({**VIEWER, "token": asker.token})
    address = f"/graphql/?token={asker.token}&access_token={asker.token}"
    assert client.post(address, body, content_type="application/json").status_code == 401


def test_a_revoked_token_is_over_at_once(asker: Asker) -> None:
    assert asker.send(VIEWER).status_code == 200
    tokens.revoke(Token.objects.get())
    assert asker.send(VIEWER).status_code == 401


def test_the_day_of_a_tokens_use_is_kept(asker: Asker) -> None:
    asker.send(VIEWER)
    assert Token.objects.get().last_used_on == timezone.now().date()


# What is taken


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_only_post_is_taken(asker: Asker, method: str) -> None:
    response = getattr(asker.client, method)("/graphql/?query={viewer{username}}")
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


def test_a_preflight_of_another_site_gets_no_permission(client: Client) -> None:
    response = client.options("/graphql/", headers={"Origin": "https://evil.example"})
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", ""],
)
def test_only_json_is_taken(asker: Asker, content_type: str) -> None:
    response = asker.send(json.dumps(VIEWER), content_type=content_type)
    assert response.status_code == 415
    assert response.json()["errors"][0]["message"] == "Send application/json."


def test_a_query_in_the_address_is_not_read(asker: Asker) -> None:
    response = asker.client.post(
        "/graphql/?query={viewer{username}}",
        "{}",
        content_type="application/json",
        headers={"authorization": f"Bearer {asker.token}"},
    )
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (" ", "The body must be a JSON object with a query."),
        ("nonsense", "The body must be a JSON object with a query."),
        (b"\xff\xfe\xfa", "The body must be a JSON object with a query."),
        ("null", "The body must be a JSON object with a query."),
        ("7", "The body must be a JSON object with a query."),
        ("[]", "The body must be a JSON object with a query."),
        ([VIEWER, VIEWER], "The body must be a JSON object with a query."),
        ("[" * 200_000, "The body is nested too deeply."),
        ('{"query":' + "[" * 100_000, "The body is nested too deeply."),
        ("{}", "query must be a GraphQL document."),
        ({"query": ""}, "query must be a GraphQL document."),
        ({"query": 7}, "query must be a GraphQL document."),
        ({"query": ["{ viewer { id } }"]}, "query must be a GraphQL document."),
        ({**VIEWER, "variables": []}, "variables must be a JSON object."),
        ({**VIEWER, "variables": 7}, "variables must be a JSON object."),
        ({**VIEWER, "variables": "{}"}, "variables must be a JSON object."),
        ({**VIEWER, "operationName": ["x"]}, "operationName must be a text."),
        ({**VIEWER, "operationName": "x"}, "Unknown operation named 'x'."),
        ('{"query": "{ viewer { id } }", "variables": {"x": NaN}}', "NaN is not a JSON number."),
        ('{"query": "{ viewer { id } }", "variables": {"x": -Infinity}}', "-Infinity is not a JSON number."),
        ('{"query": "{ viewer { id } }", "variables": {"x": %s}}' % ("9" * 5000), "The body must be a JSON object"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_in_our_words(asker: Asker, body: Any, message: str) -> None:
    response = asker.send(body)
    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
    assert response.json()["errors"][0]["message"].startswith(message)


def test_a_body_has_a_limit(asker: Asker) -> None:
    response = asker.send({**VIEWER, "filler": "x" * 1_048_576})
    assert response.status_code == 413
    assert response.json()["errors"][0]["message"] == "The body may have at most 1,048,576 bytes."


def test_the_sinks_limit_is_higher(sink: Asker) -> None:
    ask = {"query": "mutation { recordEvents(input: {batches: []}) { verdicts } }"}
    assert sink.send({**ask, "filler": "x" * 2_000_000}).json() == {"data": {"recordEvents": {"verdicts": []}}}
    assert sink.send({**ask, "filler": "x" * 16 * 1_048_576}).status_code == 413


def test_the_limit_stands_before_the_reading(asker: Asker) -> None:
    response = asker.client.generic(
        "POST",
        "/graphql/",
        b"{}",
        content_type="application/json",
        headers={"authorization": f"Bearer {asker.token}"},
        CONTENT_LENGTH="9999999999",
    )
    assert response.status_code == 413


# Who may do what

RECORD = "mutation { recordEvents(input: {batches: []}) { verdicts } }"
CLAIM = 'mutation { claimTask(input: {task: 1, attempt: 1, worker: "w"}) { verdict } }'
DELETE = 'mutation { deleteTask(input: {id: "1"}) { userErrors { code } } }'
CREATE_ONE = 'mutation { createTask(input: {name: "n", kind: "k"}) { userErrors { code } } }'
CREATE_MANY = "mutation { createTasks(input: []) { userErrors { code } } }"
READS = ["{ tasks { totalCount } }", "{ task(number: 1) { id } }", "{ taskCounts { exact } }", "{ kinds { name } }"]
WRITES = [CREATE_ONE, CREATE_MANY, DELETE]


def allowed() -> Iterator[tuple[str, list[Scope] | None, bool]]:
    """Query, scopes of the token (None: a session of staff), whether it may."""
    for query in READS:
        yield from [(query, [Scope.TASKS_READ], True), (query, [Scope.TASKS_WRITE], True), (query, None, True)]
        yield from [(query, [Scope.OPS], False), (query, [Scope.SINK], False), (query, [Scope.WORKER], False)]
    for query in WRITES:
        yield from [(query, [Scope.TASKS_READ], False), (query, [Scope.TASKS_WRITE], True), (query, None, True)]
        yield from [(query, [Scope.OPS], False), (query, [Scope.SINK], False), (query, [Scope.WORKER], False)]
    for query, scope in ((RECORD, Scope.SINK), (CLAIM, Scope.WORKER)):
        yield query, None, False
        for other in Scope:
            yield query, [other], other == scope


@pytest.mark.parametrize(("query", "scopes", "may"), list(allowed()))
def test_each_scope_opens_its_own_doors(sam: User, query: str, scopes: list[Scope] | None, may: bool) -> None:
    if scopes is None:
        response = post(browser(sam, strict=False), {"query": query})
    else:
        machine = set(scopes) <= {Scope.SINK, Scope.WORKER}
        response = Asker.of(None if machine else sam, *scopes).send({"query": query})
    if may:
        assert response.status_code == 200
        assert "errors" not in response.json()
    else:
        assert (response.status_code, code_of(response)) == (403, "FORBIDDEN")


def test_a_process_is_no_viewer(sink: Asker) -> None:
    assert code_of(sink.send(VIEWER)) == "FORBIDDEN"


def test_what_is_refused_leaves_the_rest_of_the_answer(asker: Asker) -> None:
    reader = Asker.of(User.objects.get(), Scope.OPS)
    response = reader.send({"query": "{ viewer { username } task(number: 1) { id } }"})
    assert response.status_code == 200
    assert response.json()["data"] == {"viewer": {"username": "alice"}, "task": None}
    assert code_of(response) == "FORBIDDEN"


# How much


def changing(asker: Asker, times: int = 1) -> Any:
    deletes = " ".join(f'a{n}: deleteTask(input: {{id: "1"}}) {{ userErrors {{ code }} }}' for n in range(times))
    return asker.send({"query": f"mutation {{ {deletes} }}"})


@pytest.fixture
def standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket fills again meanwhile."""
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)


@pytest.mark.usefixtures("standing_still")
def test_changes_have_a_limit_that_says_when_to_come_again(asker: Asker, settings: Any) -> None:
    settings.MUTATIONS_PER_MINUTE = 60
    assert [changing(asker, 29).status_code for _ in range(2)] == [200, 200]
    late = changing(asker, 29)  # each of them counts, by whatever token
    assert (late.status_code, code_of(late)) == (429, "RATE_LIMITED")
    assert late.headers["Retry-After"] == "27"
    assert late.json()["errors"][0]["message"].startswith("At most 60 changes a minute: wait 27 ")
    another = Asker.of(User.objects.get())
    assert changing(another, 29).status_code == 429
    assert asker.send(VIEWER).status_code == 200
    assert changing(Asker.of(User.objects.create_user("bob")), 29).status_code == 200


@pytest.mark.usefixtures("standing_still")
def test_a_fragment_hides_no_changes(asker: Asker, settings: Any) -> None:
    settings.MUTATIONS_PER_MINUTE = 2
    spread = 'fragment f on Mutation { a: deleteTask(input: {id: "1"}) { userErrors { code } } ... { b: __typename } }'
    assert asker.send({"query": f"mutation {{ ...f }} {spread}"}).status_code == 200
    assert changing(asker).status_code == 429


@pytest.mark.usefixtures("standing_still")
def test_processes_and_staff_in_a_browser_have_no_limit(sink: Asker, worker: Asker, sam: User, settings: Any) -> None:
    settings.MUTATIONS_PER_MINUTE = 1
    by_staff = browser(sam, strict=False)
    for _ in range(3):
        assert sink.send({"query": RECORD}).status_code == 200
        assert worker.send({"query": CLAIM}).status_code == 200
        assert post(by_staff, {"query": DELETE}).status_code == 200
    token = Asker.of(sam)
    assert [changing(token).status_code for _ in range(2)] == [200, 429]


def test_no_limit_is_none(asker: Asker, settings: Any) -> None:
    settings.MUTATIONS_PER_MINUTE = 0
    assert {changing(asker).status_code for _ in range(3)} == {200}


# When it goes wrong here


def test_an_exception_is_told_by_number_only(asker: Asker, noop: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_arguments: Any) -> Task:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(services, "create", fail)
    with capture_logs() as logs:
        response = asker.send({"query": CREATE, "variables": {"name": "n"}})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]) == (500, {"code": "INTERNAL"})
    assert b"secret" not in response.content
    (entry,) = logs
    assert entry["error_id"] in error["message"]
    assert str(entry["exc_info"]) == "a secret detail"
    assert entry["path"] == "createTask"


@pytest.mark.parametrize("text", ["database is locked", "connection refused"])
def test_a_busy_database_is_told_as_such(sink: Asker, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def fail(*_arguments: Any) -> list[Any]:
        raise OperationalError(text)

    monkeypatch.setattr(recording, "record", fail)
    response = sink.send({"query": RECORD})
    assert (response.status_code, code_of(response)) == (503, "UNAVAILABLE")
    assert response.headers["Retry-After"]
    assert text.encode() not in response.content


def test_a_database_that_is_away_when_the_token_is_looked_up(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_text: str) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(tokens, "find", fail)
    asker.client.raise_request_exception = False
    assert asker.send(VIEWER).status_code == 503


def test_no_token_stands_in_the_log(asker: Asker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    unknown = Asker(secrets_text.make("mrp_"))
    with capture_logs() as logs:
        asker.send(VIEWER)
        asker.send("nonsense")
        asker.send({"query": RECORD})
        unknown.send(VIEWER)
    said = f"{logs} {caplog.text}"
    assert unknown.token[-4:] in said
    for token in (asker.token, unknown.token):
        assert token[4:-4] not in said
        assert secrets_text.hashed(token) not in said
