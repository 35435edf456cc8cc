"""What went wrong is said on a page in our style, as a toast, or not at all; nothing of Python is shown."""

import logging
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from apps.accounts.sessions import SessionStore
from apps.tasks import live

POLL = {"HX-Request": "true", "HX-PTag": "1|0|x||"}


@pytest.fixture
def web(client: Client, alice: User) -> Client:
    client.force_login(alice)
    client.raise_request_exception = False
    return client


def failing(error: Exception) -> Any:
    def fail(*_arguments: Any, **_named: Any) -> NoReturn:
        raise error

    return fail


def test_a_fault_of_ours_is_a_page_with_a_number_that_stands_in_the_log_once(
    web: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "look", failing(RuntimeError("secret text")))
    response = web.get("/tasks/")
    page = response.content.decode()
    number = page.split("<code>")[1].split("</code>")[0]
    assert response.status_code == 500
    assert "secret text" not in page
    assert "Traceback" not in page
    [record] = caplog.records
    assert number in record.getMessage()
    assert "secret text" in caplog.text


@pytest.mark.parametrize("place", ["session", "view"])
def test_a_database_that_is_away_is_said_as_such_wherever_it_is_met(
    web: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    away = failing(OperationalError("connection to server at 10.1.2.3 failed\nis it running?"))
    if place == "session":
        monkeypatch.setattr(SessionStore, "load", away)
    else:
        monkeypatch.setattr(live, "look", away)
    response = web.get("/tasks/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert "The database is busy or away. Try again in a few seconds." in response.content.decode()
    assert "10.1.2.3" not in response.content.decode()
    [record] = caplog.records
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)


@pytest.mark.parametrize("error", ["database or disk is full", "could not extend file: No space left on device"])
def test_a_full_disk_is_said_as_such(web: Client, monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    monkeypatch.setattr(SessionStore, "load", failing(OperationalError(error)))
    page = web.post("/tasks/new/", {"name": "n"}).content.decode()
    assert "The disk of the database is full, so nothing was saved. Make room on it, then try again." in page


def test_who_sent_something_is_told_to_look_first(web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionStore, "load", failing(OperationalError("database is locked")))
    toast = web.post("/tasks/new/", {"name": "n"}, headers={"HX-Request": "true"}).content.decode()
    assert toast.startswith("<hx-partial")
    assert "look first whether it is there" in toast


@pytest.mark.parametrize("error", [RuntimeError("x"), OperationalError("x")])
def test_a_poll_that_fails_puts_nothing_on_the_page(
    web: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(live, "look", failing(error))
    response = web.get("/tasks/changes/", headers=POLL)
    assert response.status_code >= 500
    assert response.content == b""
