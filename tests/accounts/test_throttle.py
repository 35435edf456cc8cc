"""Guessing passwords takes longer and longer."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from apps.accounts import links, throttle
from apps.accounts.models import WrongPasswords

pytestmark = pytest.mark.django_db

WORDS, GUESS = "alice's own words", "a guess"


def sign_in(name: str = "alice", *, password: str = GUESS, **how: Any) -> Any:
    return Client().post("/login/", {"username": name, "password": password}, **how)


def statuses(count: int, **how: Any) -> list[int]:
    return [sign_in(**how).status_code for _ in range(count)]


def pass_by(time: timedelta) -> None:
    for counted in WrongPasswords.objects.all():
        counted.began_at, counted.last_at = counted.began_at - time, counted.last_at - time
        counted.before_at -= time
        counted.save()


def waits() -> Sequence[int]:
    """Of eight tries, each as early as it is allowed."""
    found = []
    for _ in range(8):
        seconds = throttle.begin("alice", "192.0.2.7")
        pass_by(timedelta(seconds=seconds))
        if seconds:
            found.append(seconds)
            assert throttle.begin("alice", "192.0.2.7") == 0
    return found


def test_the_sixth_try_waits_and_says_how_long(alice: User) -> None:
    assert statuses(5) == [422] * 5
    response = sign_in()
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert "Too many wrong passwords. Wait 1 min, then try again." in response.content.decode()
    assert 'value="alice"' in response.content.decode()
    assert sign_in(password=WORDS).status_code == 429
    assert sign_in(password=WORDS, REMOTE_ADDR="192.0.2.7").status_code == 302
    pass_by(timedelta(seconds=61))
    assert sign_in(password=WORDS).status_code == 302
    assert statuses(5) == [422] * 5, "the right one makes the wrong ones before it forgotten"


def test_a_name_that_nobody_has_is_answered_alike(alice: User) -> None:
    assert statuses(6, name="nobody") == statuses(6)


def test_the_wait_grows_up_to_an_hour() -> None:
    for _ in range(5):
        throttle.begin("alice", "192.0.2.7")
    assert waits() == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_wrong_passwords_now_and_then_wait_for_nothing() -> None:
    for _ in range(12):
        assert throttle.begin("alice", "192.0.2.7") == 0
        pass_by(timedelta(minutes=2))


def test_an_address_has_fifty_tries_an_hour_for_all_names_together() -> None:
    assert [throttle.begin(f"name {n}", "2001:db8::1") for n in range(50)] == [0] * 50
    assert throttle.begin("another", "2001:db8::2") == 60, "the same network"
    assert throttle.begin("another", "2001:db8:1::1") == 0
    pass_by(timedelta(hours=25))
    assert throttle.begin("another", "2001:db8::2") == 0
    assert WrongPasswords.objects.count() == 2, "what is old is cleared away"


def test_who_has_to_wait_leaves_no_trace() -> None:
    for n in range(50):
        throttle.begin(f"name {n}", "192.0.2.7")
    traces = WrongPasswords.objects.count()
    assert [throttle.begin(f"more {n}", "192.0.2.7") for n in range(3)] == [60] * 3
    assert WrongPasswords.objects.count() == traces


def test_an_address_recovers_and_a_right_password_makes_nobody_wait_longer() -> None:
    for n in range(50):
        throttle.begin(f"name {n}", "192.0.2.7")
    for _ in range(7):
        pass_by(timedelta(seconds=throttle.begin("alice", "192.0.2.7")))
        assert throttle.begin(secrets.token_hex(), "192.0.2.7") == 0
    pass_by(timedelta(minutes=59))
    before = throttle.begin("bob", "192.0.2.7")
    pass_by(timedelta(seconds=before))
    assert throttle.begin("bob", "192.0.2.7") == 0
    throttle.succeed("bob", "192.0.2.7")
    assert throttle.begin("alice", "192.0.2.7") == 0
    pass_by(timedelta(hours=2, minutes=1))
    assert [throttle.begin(f"name {n}", "192.0.2.7") for n in range(50)] == [0] * 50


def test_right_passwords_use_up_no_try_of_the_address() -> None:
    for n in range(60):
        assert throttle.begin(f"name {n}", "192.0.2.7") == 0
        throttle.succeed(f"name {n}", "192.0.2.7")


def test_upper_case_is_no_other_name(alice: User) -> None:
    assert statuses(3) + statuses(2, name="ALICE") == [422] * 5
    assert sign_in(name="Alice").status_code == 429


def test_what_was_typed_as_a_name_is_not_kept() -> None:
    throttle.begin("my password by mistake\udcff", "192.0.2.7")
    assert "mistake" not in str(WrongPasswords.objects.values())


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "seen"),
    [
        ([], "192.0.2.7", "203.0.113.9", "192.0.2.7"),
        (["192.0.2.7"], "192.0.2.7", "203.0.113.9", "203.0.113.9"),
        (["192.0.2.7"], "192.0.2.7", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (["192.0.2.0/24"], "::ffff:192.0.2.7", "203.0.113.9, 192.0.2.8", "203.0.113.9"),
        (["192.0.2.7"], "192.0.2.7", "nonsense", "192.0.2.7"),
        (["192.0.2.7"], "192.0.2.7", "", "192.0.2.7"),
        (["192.0.2.7"], "198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ([], "", "203.0.113.9", ""),
    ],
)
def test_only_our_own_proxies_say_who_it_is(
    proxies: list[str], peer: str, forwarded: str, seen: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = tuple(map(ip_network, proxies))
    sign_in(REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded})
    for _ in range(4):
        assert throttle.begin("alice", seen) == 0
    assert throttle.begin("alice", seen) == 60


def test_the_owner_always_comes_in_by_link(alice: User) -> None:
    statuses(6)
    assert Client().get(f"/start/{links.make(alice)}").status_code == 303


@pytest.mark.parametrize("name", ["alice", "nobody", "without", "switched off"])
def test_each_wrong_name_or_password_is_hashed_once(name: str, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("without")
    User.objects.create_user("switched off", password=WORDS, is_active=False)
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    assert sign_in(name).status_code == 422
    assert len(hashed) == 1


def test_the_admin_is_no_way_around(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    guess = {"username": "admin", "password": GUESS}
    assert client.post("/admin/login/", guess).status_code == 403
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    guess = {"old_password": GUESS, "new_password1": WORDS, "new_password2": WORDS}
    assert client.post("/admin/password_change/", guess).headers["Location"] == "/account/"
