"""How long a session lasts, and its cookie."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.accounts import people, remembered, sessions, visits
from apps.accounts.models import LastSeen, Session
from apps.accounts.roles import Role
from tests.fixtures.statements import Statements

pytestmark = pytest.mark.django_db

POLL = {"HX-Request": "true"}


@pytest.fixture
def browser(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def come_back_after(browser: Client, time: timedelta) -> None:
    """As if everything that is known of the session had happened so much earlier."""
    session = browser.session
    session[visits.NOTED] -= int(time.total_seconds())
    session.save()
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=12) - time)
    LastSeen.objects.update(at=timezone.now() - time)


def left(browser: Client) -> timedelta:
    found: timedelta = Session.objects.get(session_key=browser.session.session_key).expire_date - timezone.now()
    return found


def test_a_page_makes_the_session_last_twelve_hours_more(browser: Client, alice: User) -> None:
    come_back_after(browser, timedelta(hours=11))
    cookie = browser.get("/tasks/").cookies["millrace_session"]
    assert left(browser) > timedelta(hours=11, minutes=59)
    assert cookie["max-age"] == 12 * 3600
    assert timezone.now() - LastSeen.objects.get(user=alice).at < timedelta(minutes=1)


def test_so_does_a_button(browser: Client) -> None:
    come_back_after(browser, timedelta(hours=11))
    browser.post("/tasks/retry/", {"number": "1"}, headers=POLL)
    assert left(browser) > timedelta(hours=11, minutes=59)


@pytest.mark.parametrize("address", ["/tasks/changes/", "/health/", "/queues/changes/"])
def test_a_poll_does_not(browser: Client, address: str) -> None:
    come_back_after(browser, timedelta(hours=11))
    assert "millrace_session" not in browser.get(address, headers=POLL).cookies
    assert left(browser) < timedelta(hours=1, minutes=1)


def test_after_twelve_hours_without_anything_it_is_over(browser: Client, alice: User) -> None:
    come_back_after(browser, timedelta(hours=12, seconds=1))
    assert browser.get("/tasks/").status_code == 302
    Client().force_login(alice)
    assert Session.objects.count() == 1, "what is over is cleared away"


def test_within_five_minutes_nothing_is_written(browser: Client) -> None:
    come_back_after(browser, timedelta(minutes=4))
    before = Session.objects.values_list().get()
    browser.get("/tasks/")
    assert Session.objects.values_list().get() == before


def test_a_session_knows_whose_it_is(browser: Client, alice: User) -> None:
    Client().get("/login/")
    Client().force_login(alice)
    mine = browser.session.session_key
    assert sessions.count_others(alice, mine) == 1
    assert sessions.end_others(alice, mine) == 1
    assert browser.get("/tasks/").status_code == 200
    assert sessions.count_others(alice, mine) == 0


def test_a_poll_asks_once_a_second_whose_session_it_is(browser: Client, statements: Statements) -> None:
    with statements() as asked:
        for _ in range(3):
            assert "Cookie" in browser.get("/health/", headers=POLL)["Vary"]
    assert sum("accounts_session" in query["sql"] for query in asked) == 1


@pytest.mark.parametrize("end", ["sign out", "elsewhere", "switch off", "role"])
def test_what_ends_or_changes_is_known_at_once_where_it_happens(end: str, browser: Client, alice: User) -> None:
    root, key = User.objects.create_superuser("root"), browser.session.session_key or ""
    assert browser.get("/tasks/changes/", headers=POLL).status_code == 200
    if end == "sign out":
        browser.post("/logout/")
        browser.cookies["millrace_session"] = key
    elif end == "elsewhere":
        sessions.end_others(alice, None)
    elif end == "switch off":
        people.switch(by=root, user=alice, on=False)
    else:
        people.change_role(by=root, user=alice, role=Role.OPERATOR, extras=())
    known = browser.get("/tasks/changes/", headers=POLL)
    assert known.status_code == (200 if end == "role" else 401)
    assert known.wsgi_request.user.groups.filter(name=Role.OPERATOR).exists() == (end == "role")


def test_what_another_process_has_ended_is_over_a_second_later(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.get("/tasks/changes/", headers=POLL).status_code == 200
    Session.objects.all()._raw_delete("default")  # as elsewhere: nothing is told of it here
    monkeypatch.setattr(remembered, "SECONDS", 0.0)
    assert browser.get("/tasks/changes/", headers=POLL).status_code == 401
