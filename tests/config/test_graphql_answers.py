"""Whatever goes wrong at /graphql/, wherever it is noticed: a program reads JSON with `errors`, never a page."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from config import graphql
from tests.config.test_graphql import VIEWER, browser, post
from tests.config.test_headers import HEADERS
from tests.fixtures.asking import Asker, code_of

pytestmark = pytest.mark.django_db

DELETE = {"query": 'mutation { deleteTask(input: {id: "1"}) { userErrors { code } } }'}
ANSWERS: dict[str, tuple[int, str, Callable[[Asker], Any]]] = {
    "no JSON": (400, "BAD_USER_INPUT", lambda asker: asker.send("nonsense")),
    "another host": (400, "BAD_USER_INPUT", lambda asker: asker.send(VIEWER, host="evil.example")),
    "another host without a slash": (
        400,
        "BAD_USER_INPUT",
        lambda asker: asker.client.post("/graphql", headers={"host": "evil.example"}),
    ),
    "a host that is none": (400, "BAD_USER_INPUT", lambda asker: asker.send(VIEWER, host="a b/c")),
    "nobody": (401, "UNAUTHENTICATED", lambda asker: post(asker.client)),
    "another's token": (401, "UNAUTHENTICATED", lambda asker: asker.send(VIEWER, authorization="Bearer x")),
    "no scope": (403, "FORBIDDEN", lambda asker: asker.send({"query": "{ auditEntries { nodes { act } } }"})),
    "no CSRF token": (403, "FORBIDDEN", lambda _asker: post(browser(User.objects.get()))),
    "nothing there": (404, "NOT_FOUND", lambda asker: asker.client.get("/graphql/schema.json")),
    "another method": (405, "BAD_USER_INPUT", lambda asker: asker.client.get("/graphql/")),
    "too much": (413, "BAD_USER_INPUT", lambda asker: asker.send({**VIEWER, "filler": "x" * 1_048_576})),
    "another content": (415, "BAD_USER_INPUT", lambda asker: asker.send("x", content_type="text/plain")),
    "too often": (429, "RATE_LIMITED", lambda asker: [asker.send(DELETE) for _ in range(2)][1]),
    "a fault of ours": (500, "INTERNAL", lambda asker: asker.send(VIEWER)),
    "no database": (503, "UNAVAILABLE", lambda asker: asker.send(VIEWER)),
}
FAULTS = {
    "a fault of ours": RuntimeError("a secret detail"),
    "no database": OperationalError("a secret detail"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_error_is_json(asker: Asker, settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    def fail(*_arguments: Any) -> NoReturn:
        raise FAULTS[answer]

    if answer in FAULTS:
        monkeypatch.setattr(graphql, "_question", fail)
    settings.MUTATIONS_PER_MINUTE = 1
    asker.client.raise_request_exception = False
    status, code, ask = ANSWERS[answer]
    response = ask(asker)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    (error,) = response.json()["errors"]
    assert code_of(response) == code
    assert error["message"]
    assert not {"evil", "secret"} & set(error["message"].split())
    assert response.headers["Cache-Control"] == "no-store"
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert not response.cookies


@pytest.mark.parametrize("address", ["/graphql", "/graphql/"])
def test_a_token_needs_nothing_of_a_browser(asker: Asker, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    def fail(*_arguments: Any) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(SessionMiddleware, "process_request", fail)
    asker.client.cookies["millrace_session"] = "somebody's"
    headers = {"authorization": f"Bearer {asker.token}"}
    response = asker.client.post(address, json.dumps(VIEWER), content_type="application/json", headers=headers)
    assert response.json() == {"data": {"viewer": {"username": "alice"}}}


def test_the_page_beside_it_keeps_its_pages() -> None:
    response = Client().get("/graphiql/", headers={"host": "evil.example"})
    assert (response.status_code, response.headers["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_who_comes_with_a_token_gets_no_cookie(asker: Asker) -> None:
    response = asker.send(VIEWER)
    assert response.status_code == 200
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")
