"""What stands at the head of every answer, whatever it is an answer to."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from apps.tasks import live

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
JSON = "application/json"
ANSWERS: dict[str, tuple[int, Callable[[Client], Any]]] = {
    "a page": (200, lambda web: web.get("/tasks/")),
    "a fragment": (200, lambda web: web.get("/tasks/changes/", headers={"HX-Request": "true"})),
    "a file": (200, lambda web: web.get("/static/css/base.css")),
    "no file": (404, lambda web: web.get("/static/css/nowhere.css")),
    "nothing": (404, lambda web: web.get("/nowhere/")),
    "a missing slash": (301, lambda web: web.get("/tasks")),
    "another method": (405, lambda web: web.get("/tasks/retry/")),
    "another host": (400, lambda web: web.get("/tasks/", headers={"host": "evil.example"})),
    "too much": (413, lambda web: web.post("/tasks/new/", {"name": "x" * 1_100_000})),
    "a form from elsewhere": (403, lambda web: web.post("/tasks/retry/")),
    "a fault of ours": (500, lambda web: web.get("/tasks/")),
    "a stranger": (302, lambda _web: Client().get("/tasks/")),
    "a stranger's form": (302, lambda _web: Client().post("/tasks/retry/")),
    "signing in": (200, lambda _web: Client().get("/login/")),
    "alive": (200, lambda _web: Client().get("/healthz")),
    "a question in JSON": (200, lambda web: web.post("/graphql/", {"query": "{ viewer { id } }"}, content_type=JSON)),
    "a question in another form": (415, lambda web: web.post("/graphql/", {"query": "{ viewer { id } }"})),
    "a question of a stranger": (401, lambda _web: Client().post("/graphql/", {"query": "{ x }"}, content_type=JSON)),
    "a used link": (410, lambda _web: Client().get("/start/used")),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_carries_them(answer: str, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> NoReturn:
        raise RuntimeError

    web = Client(raise_request_exception=False, enforce_csrf_checks=answer == "a form from elsewhere")
    web.force_login(alice)
    if answer == "a fault of ours":
        monkeypatch.setattr(live, "look", fail)
    status, ask = ANSWERS[answer]
    response = ask(web)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(("seconds", "told"), [(0, None), (3600, "max-age=3600")])
def test_https_is_held_to_where_it_is_set_and_used(
    seconds: int, told: str | None, db: None, settings: Settings
) -> None:
    settings.SECURE_HSTS_SECONDS = seconds
    assert Client().get("/healthz", secure=True).headers.get("Strict-Transport-Security") == told
    assert "Strict-Transport-Security" not in Client().get("/healthz").headers
