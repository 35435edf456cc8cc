"""A statement that goes on and on is given up, by either database, and whoever asked is told to try again."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_started
from django.db import connection
from django.db.backends.signals import connection_created
from django.test import Client

from apps.tasks import live
from config import patience

ENDLESS = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def impatient(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process of the web, with less of it."""
    monkeypatch.setattr(patience, "SECONDS", 1)
    patience.end()
    connection.close()
    yield
    connection_created.disconnect(dispatch_uid="patience")
    request_started.disconnect(dispatch_uid="patience")
    patience._request.__dict__.clear()
    connection.close()


def endless(*_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS)


@pytest.mark.usefixtures("impatient")
def test_an_endless_statement_is_given_up(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(alice)
    monkeypatch.setattr(live, "look", endless)
    answer = browser.get("/tasks/")
    assert answer.status_code == 503
    assert "The database is busy or away. Try again in a few seconds." in answer.content.decode()
    monkeypatch.undo()
    assert browser.get("/tasks/").status_code == 200
