"""A connection that PostgreSQL has ended is taken anew before a request, and one that it holds is not asked for."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.signals import request_started
from django.db import close_old_connections, connection, connections

from apps.tasks.models import Task
from config import liveness
from tests.fixtures.processes import eventually

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
]


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(liveness, "BELIEVED_SECONDS", 3_600)
    liveness.watch()
    begin()
    yield
    request_started.disconnect(dispatch_uid="liveness")


def begin() -> bool:
    """A request; whether the connection is believed."""
    Task.objects.count()
    close_old_connections()
    request_started.send(None)
    return bool(vars(connections["default"])["health_check_done"])


def test_what_is_held_is_not_asked_for() -> None:
    assert begin()


def test_what_is_ended_is_taken_anew() -> None:
    pid = connection.connection.info.backend_pid
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    eventually(lambda: not liveness._is_silent(connection.connection))
    close_old_connections()
    request_started.send(None)
    assert Task.objects.count() == 0
    assert connection.connection.info.backend_pid != pid


def test_what_was_not_asked_for_long_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "BELIEVED_SECONDS", 0)
    assert not begin()
