"""Signing in and out."""

import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts import links
from apps.accounts.models import SignInLink

pytestmark = pytest.mark.django_db

WORDS = "alice's own words"


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_link_signs_in_and_leads_to_the_tasks(client: Client, alice: User) -> None:
    response = client.get(f"/start/{links.make(alice)}")
    assert (response.status_code, response.headers["Location"]) == (303, "/tasks/")
    assert client.session["_auth_user_id"] == str(alice.pk)
    assert "no-store" in response.headers["Cache-Control"]


def test_a_link_works_once(client: Client, alice: User) -> None:
    address = f"/start/{links.make(alice)}"
    assert client.get(address).status_code == 303
    response = Client().get(address)
    assert response.status_code == 410
    assert "./manage.py link</code> prints a new one" in response.content.decode()


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("var", "./manage.py link"),
        ("other data", "MILLRACE_VAR='{root}/other data' ./manage.py link"),
    ],
)
def test_who_needs_a_new_link_is_told_the_command_that_makes_it(
    folder: str, command: str, client: Client, settings: Settings
) -> None:
    settings.VAR = settings.ROOT / folder
    command = command.format(root=settings.ROOT)
    assert client.get("/start/used").context["link_command"] == command
    assert client.get("/login/").context["link_command"] == command
    assert client.get("/login/", headers={"X-Real-Ip": "192.0.2.7"}).context["link_command"] == "./manage.py link"


def test_of_two_clicks_at_once_one_signs_in(alice: User) -> None:
    text = links.make(alice)
    assert [links.use(text), links.use(text)] == [alice, None]


@pytest.mark.parametrize("unusable", ["old", "unknown", "inactive"])
def test_a_link_that_is_not_good_signs_nobody_in(client: Client, alice: User, unusable: str) -> None:
    text = links.make(alice)
    if unusable == "old":
        SignInLink.objects.update(expires_at=timezone.now())
    elif unusable == "inactive":
        User.objects.update(is_active=False)
    else:
        text = text[::-1]
    assert client.get(f"/start/{text}").status_code == 410
    assert not signed_in(client)


def test_a_look_ahead_does_not_use_the_link_up(client: Client, alice: User) -> None:
    address = f"/start/{links.make(alice)}"
    assert client.head(address).status_code == 200
    assert client.get(address, headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 503
    assert client.get(address, headers={"Purpose": "prefetch"}).status_code == 503
    assert client.post(address).status_code == 405
    assert not signed_in(client)
    assert client.get(address).status_code == 303


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.0.2.7", {}),
        ("::ffff:192.0.2.7", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}),
    ],
)
def test_a_link_does_not_work_from_elsewhere(
    client: Client, alice: User, address: str, headers: dict[str, str]
) -> None:
    text = links.make(alice)
    response = client.get(f"/start/{text}", REMOTE_ADDR=address, headers=headers)
    assert response.status_code == 403
    assert "on the machine" in response.context["problem"]
    assert client.get(f"/start/{text}", REMOTE_ADDR="::1").status_code == 303


def test_no_link_stands_in_the_log(client: Client, alice: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text = links.make(alice)
    client.get(f"/start/{text}", REMOTE_ADDR="192.0.2.7")
    client.get(f"/start/{text}", headers={"Purpose": "prefetch"})
    client.post(f"/start/{text}")
    client.get(f"/start/{text}")
    client.get(f"/start/{text}")
    assert text not in caplog.text


def test_a_link_that_fails_does_not_stand_in_the_log(
    alice: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(text: str) -> None:
        raise RuntimeError

    monkeypatch.setattr(links, "use", fail)
    text = links.make(alice)
    assert Client(raise_request_exception=False).get(f"/start/{text}").status_code == 500
    assert "RuntimeError" in caplog.text
    assert text not in caplog.text


def test_only_a_hash_of_a_link_is_stored_and_for_ten_minutes(alice: User) -> None:
    text = links.make(alice)
    assert text not in str(SignInLink.objects.values())
    left = SignInLink.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)


def test_old_links_are_cleared_away(alice: User) -> None:
    links.make(alice)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(days=2))
    links.make(alice)
    assert SignInLink.objects.count() == 1


def test_a_password_signs_in(client: Client, alice: User) -> None:
    assert client.get("/login/").status_code == 200
    response = client.post("/login/?next=/tasks/7/", {"username": "alice", "password": WORDS, "next": "/tasks/7/"})
    assert (response.status_code, response.headers["Location"]) == (302, "/tasks/7/")
    assert signed_in(client)


@pytest.mark.parametrize("foreign", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_leads_to_no_foreign_site(client: Client, alice: User, foreign: str) -> None:
    response = client.post("/login/", {"username": "alice", "password": WORDS, "next": foreign})
    assert response.headers["Location"] == "/tasks/"


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client: Client, alice: User) -> None:
    answers = [
        client.post("/login/", {"username": name, "password": "wrong"}).context["form"].non_field_errors()
        for name in ("alice", "nobody")
    ]
    assert answers[0] == answers[1]
    assert client.post("/login/", {"username": "alice", "password": "wrong"}).status_code == 422
    assert not signed_in(client)


def test_an_ended_session_is_given_as_the_reason(client: Client, alice: User) -> None:
    address = client.get("/tasks/changes/", headers={"HX-Request": "true"}).headers["HX-Redirect"]
    assert "Your session has ended" in client.get(address).content.decode()
    html = client.get("/login/").content.decode()
    assert "Your session has ended" not in html
    assert "Username:" not in html


def test_signing_in_needs_the_forms_token(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/login/", {"username": "alice", "password": WORDS}).status_code == 403


def test_the_session_changes_its_name_when_somebody_signs_in(client: Client, alice: User) -> None:
    client.session.save()
    before = client.cookies["millrace_session"].value if "millrace_session" in client.cookies else None
    client.post("/login/", {"username": "alice", "password": WORDS})
    cookie = client.cookies["millrace_session"]
    assert cookie.value != before
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_signing_out_takes_a_post(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/logout/").status_code == 405
    assert signed_in(client)
    response = client.post("/logout/")
    assert (response.status_code, response.headers["Location"]) == (302, "/login/")
    assert not signed_in(client)


def test_the_printed_link_signs_in(client: Client, admin: User) -> None:
    out = StringIO()
    call_command("link", stdout=out)
    assert client.get(out.getvalue().strip()).status_code == 303
