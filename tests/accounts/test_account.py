"""Everybody's own page: tokens, password, other browsers."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts import tokens
from apps.accounts.forms import MOST_TOKENS
from apps.accounts.models import Token
from apps.accounts.permissions import Scope
from config import settings as config_settings
from tests.fixtures.asking import Asker

pytestmark = pytest.mark.django_db

WORDS, NEW = "alice's own words", "quite another sentence"
TOKEN = {"name": "laptop", "scopes": ["tasks:read"], "days": "30"}
WHO = "{ viewer { username } }"


@pytest.fixture
def browser(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def mistakes(response: Any, form: str) -> list[str]:
    """What the page complains of, each once."""
    errors = response.context[form].errors
    return [error for field in errors.values() for error in field]


def test_a_token_is_shown_once_and_works(browser: Client, alice: User) -> None:
    response = browser.post("/account/tokens/", TOKEN)
    assert response.status_code == 201
    assert "no-store" in response.headers["Cache-Control"]
    text = re.findall(r"mrp_\w{49}", response.content.decode())[0]
    assert Asker(text).data(WHO) == {"viewer": {"username": "alice"}}
    token = Token.objects.get()
    assert (token.user, token.name, token.scopes) == (alice, "laptop", ["tasks:read"])
    assert token.expires_at is not None
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    page = browser.get("/account/").content.decode()
    assert text[:12] in page
    assert text[12:] not in page


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ({"name": ""}, "Say what it is for, to know it again."),
        ({"name": "  "}, "Say what it is for, to know it again."),
        ({"name": "n" * 101}, "Ensure this value has at most 100 characters (it has 101)."),
        ({"name": "a\x1b[31m"}, "Control characters are not allowed in a name."),
        ({"name": "a\x00"}, "Null characters are not allowed."),
        ({"name": "in use"}, "You have a valid token of this name: revoke it first, or choose another name."),
        ({"scopes": []}, "Choose at least one."),
        ({"scopes": ["ops"]}, "Select a valid choice. ops is not one of the available choices."),
        ({"scopes": ["sink"]}, "Select a valid choice. sink is not one of the available choices."),
        ({"days": "3650"}, "Select a valid choice. 3650 is not one of the available choices."),
        ({"days": "x"}, "Select a valid choice. x is not one of the available choices."),
    ],
)
def test_a_token_that_cannot_be_says_why_and_keeps_what_was_typed(
    typed: dict[str, Any], mistake: str, browser: Client, alice: User
) -> None:
    tokens.make(user=alice, scopes={Scope.TASKS_READ}, name="in use")
    response = browser.post("/account/tokens/", {**TOKEN, **typed})
    assert response.status_code == 422
    assert mistakes(response, "token_form") == [mistake]
    assert Token.objects.count() == 1
    assert response.context["token_form"]["days"].value() == {**TOKEN, **typed}["days"]


def test_there_is_a_limit_to_tokens(browser: Client, alice: User) -> None:
    for n in range(MOST_TOKENS):
        tokens.make(user=alice, scopes={Scope.TASKS_READ}, name=f"{n}")
    assert mistakes(browser.post("/account/tokens/", TOKEN), "token_form") == [
        "You have 50 valid tokens, which is the limit: revoke some first."
    ]


def test_a_revoked_token_lets_nobody_in(browser: Client, alice: User) -> None:
    token, text = tokens.make(user=alice, scopes={Scope.TASKS_READ})
    asker = Asker(text)
    assert asker.data(WHO)
    response = browser.post(f"/account/tokens/{token.pk}/revoke/", follow=True)
    assert "is revoked: within a second nobody comes in by it." in response.content.decode()
    assert asker.send({"query": WHO}).status_code == 401


def test_a_token_of_somebody_else_is_not_there(browser: Client, alice: User, admin: User) -> None:
    token, _ = tokens.make(user=admin, scopes={Scope.OPS})
    assert browser.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert browser.get("/account/tokens/all/").status_code == 404
    assert str(token) not in browser.get("/account/").content.decode()
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert browser.get("/account/tokens/all/").status_code == 404, "staff, but without the permission"


def test_staff_with_the_permission_sees_and_revokes_all(browser: Client, alice: User, admin: User) -> None:
    token, text = tokens.make(user=admin, scopes={Scope.OPS})
    tokens.make(user=None, scopes={Scope.SINK}, name="the sink")
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    alice.user_permissions.add(Permission.objects.get(codename="can_revoke_tokens"))
    page = browser.get("/account/tokens/all/").content.decode()
    assert str(token) in page
    assert "the sink" in page
    here = {"next": "/account/tokens/all/"}
    assert browser.post(f"/account/tokens/{token.pk}/revoke/", here).headers["Location"] == here["next"]
    assert tokens.find(text) is None


def test_a_changed_password_ends_every_other_session(browser: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice)
    typed = {"old_password": WORDS, "new_password1": NEW, "new_password2": NEW}
    response = browser.post("/account/password/", typed, follow=True)
    assert "Your password is changed, and every other browser is signed out." in response.content.decode()
    assert browser.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert Client().post("/login/", {"username": "alice", "password": NEW}).status_code == 302


def test_a_password_is_kept_as_what_takes_long_to_guess(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = config_settings.PASSWORD_HASHERS  # those of the tests are made for haste
    assert make_password(NEW).startswith("argon2$argon2id$")


def test_who_came_by_link_sets_a_first_password(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert "Set a password" in client.get("/account/").content.decode()
    assert client.post("/account/password/", {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    assert "Change your password" in client.get("/account/").content.decode()


@pytest.mark.parametrize(
    ("old", "new", "again", "mistake"),
    [
        (WORDS, "short", "short", "This password is too short. It must contain at least 12 characters."),
        (WORDS, "password1234", "password1234", "This password is too common."),
        (WORDS, NEW, "a typing mistake", "The two password fields didn\N{RIGHT SINGLE QUOTATION MARK}t match."),
        (
            "a guess",
            NEW,
            NEW,
            "Your old password was entered incorrectly. Please enter it again.",
        ),
    ],
)
def test_a_password_that_will_not_do_says_why(old: str, new: str, again: str, mistake: str, browser: Client) -> None:
    typed = {"old_password": old, "new_password1": new, "new_password2": again}
    response = browser.post("/account/password/", typed)
    assert response.status_code == 422
    assert mistakes(response, "password_form") == [mistake]
    assert f'value="{new}"' not in response.content.decode()


def test_the_old_password_cannot_be_guessed_there(browser: Client) -> None:
    typed = {"old_password": "a guess", "new_password1": NEW, "new_password2": NEW}
    assert [browser.post("/account/password/", typed).status_code for _ in range(6)] == [422] * 5 + [429]
    assert browser.post("/account/password/", {**typed, "old_password": WORDS}).status_code == 429


def test_other_browsers_are_signed_out(browser: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice)
    assert "One other browser is signed in as alice." in browser.get("/account/").content.decode()
    response = browser.post("/account/sessions/end/", follow=True)
    assert "1 other browser is signed out." in response.content.decode()
    assert "No other browser is signed in as alice." in response.content.decode()
    assert other.get("/account/").status_code == 302


@pytest.mark.parametrize(
    ("address", "by_get"), [("tokens/", 302), ("tokens/1/revoke/", 405), ("password/", 302), ("sessions/end/", 405)]
)
def test_what_changes_something_takes_a_post_of_this_site(
    address: str, by_get: int, browser: Client, alice: User
) -> None:
    response = browser.get(f"/account/{address}", TOKEN)
    assert (response.status_code, response.headers.get("Location", "/account/")) == (by_get, "/account/")
    assert not Token.objects.exists()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(f"/account/{address}", TOKEN).status_code == 403
