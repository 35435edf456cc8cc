"""Each unsafe setting is found by its own check, which names it and says what to do; a safe installation has none."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks

from config import env, faults
from config.checks import TAG
from devstack import credentials

LOOPBACK = list(env.LOOPBACK)
DEFAULT = "default"
NORMAL = {"init_command": "PRAGMA synchronous=NORMAL"}


@pytest.fixture
def safe(tmp_path: Path) -> SimpleNamespace:
    """Settings of production in which nothing is to be found."""
    var = tmp_path / "var"
    return SimpleNamespace(
        ENV="production",
        DEBUG=False,
        ROOT=tmp_path / "checkout",
        VAR=var,
        SECRETS=credentials.ensure(var),
        SECRET_KEY=credentials.read(var)["secret_key"],
        PUBLIC_URL="https://millrace.example.org",
        TRUSTED_PROXIES=("127.0.0.1",),
        ALLOWED_HOSTS=[*LOOPBACK, "millrace.example.org"],
        CSRF_TRUSTED_ORIGINS=["https://millrace.example.org"],
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
        SECURE_HSTS_SECONDS=3600,
        DATABASES={DEFAULT: {"ENGINE": "x.sqlite3", "NAME": var / "db", "OPTIONS": settings.SQLITE_OPTIONS}},
        RABBITMQ_URL="",
        ALLOW_PLAINTEXT=False,
    )


def found(given: SimpleNamespace, **environment: str) -> list[str]:
    every = [*faults.anywhere(given), *faults.of_deploy(given, environment)]
    assert all(each.what.endswith((".", "?")) and each.fix for each in every)
    return [each.id.removeprefix("millrace.") for each in every]


def postgresql(host: str, **options: str) -> dict[str, Any]:
    return {DEFAULT: {"ENGINE": "x.postgresql", "NAME": "m", "HOST": host, "OPTIONS": options}}


UNSAFE: dict[str, dict[str, Any]] = {
    "W003": {"ENV": "development"},
    "E004": {"SECRET_KEY": "django-insecure-" + "0123456789" * 5},
    "E004 short": {"SECRET_KEY": "0123456789"},
    "E004 of few letters": {"SECRET_KEY": "ab" * 40},
    "E005": {"DEBUG": True},
    "E006": {"PUBLIC_URL": ""},
    "E007": {"PUBLIC_URL": "http://millrace.example.org"},
    "E008": {"SESSION_COOKIE_SECURE": False},
    "E008 of the form": {"CSRF_COOKIE_SECURE": False},
    "E009": {"ALLOWED_HOSTS": LOOPBACK},
    "E009 all": {"ALLOWED_HOSTS": [*LOOPBACK, "*"]},
    "E010": {"CSRF_TRUSTED_ORIGINS": ["http://millrace.example.org"]},
    "E011": {"DATABASES": {DEFAULT: {"ENGINE": "x.sqlite3", "NAME": "/x", "OPTIONS": {}}}},
    "E011 normal": {"DATABASES": {DEFAULT: {"ENGINE": "sqlite3", "NAME": "/x", "OPTIONS": NORMAL}}},
    "E012": {"RABBITMQ_URL": "amqp://guest:guest@localhost/"},
    "E012 by default": {"RABBITMQ_URL": "amqps://mq.example.org/"},
    "E013": {"RABBITMQ_URL": "amqps://a:b@mq1.example.org/x,amqp://a:b@mq2.example.org/x"},
    "E014": {"DATABASES": postgresql("db.example.org")},
    "E014 unchecked": {"DATABASES": postgresql("10.1.2.3", sslmode="require")},
    "E015": {"SECRETS": {}},
    "E015 short": {"SECRETS": {"sink_token": "s", "worker_token": "w"}},
    "E015 the same": {"SECRETS": {"sink_token": "s" * 40, "worker_token": "s" * 40}},
    "W018": {"SECURE_HSTS_SECONDS": 0},
    "W019": {"TRUSTED_PROXIES": ()},
}  # fmt: skip
SAFE: list[dict[str, Any]] = [
    {},
    {"RABBITMQ_URL": "amqp://a:b@127.0.0.1/,amqp://a:b@[::1]/,amqps://a:b@mq.example.org/"},
    {"RABBITMQ_URL": "amqp://a:b@mq.example.org/", "ALLOW_PLAINTEXT": True},
    {"DATABASES": postgresql("/run/postgresql")},
    {"DATABASES": postgresql("db.example.org", sslmode="verify-full")},
    {"DATABASES": postgresql("db.example.org"), "ALLOW_PLAINTEXT": True},
]


@pytest.mark.parametrize("changed", SAFE)
def test_what_is_safe_has_no_fault(safe: SimpleNamespace, changed: dict[str, Any]) -> None:
    vars(safe).update(changed)
    assert found(safe) == []


@pytest.mark.parametrize("fault", UNSAFE)
def test_each_fault_is_found_alone(safe: SimpleNamespace, fault: str) -> None:
    vars(safe).update(UNSAFE[fault])
    assert found(safe) == [fault[:4]]


@pytest.mark.parametrize("name", ["CHAOS_FOLDER", "MILLRACE_TEST_DATABASE", "DJANGO_ALLOW_ASYNC_UNSAFE"])
def test_what_is_for_tests_alone_is_found(safe: SimpleNamespace, name: str) -> None:
    assert found(safe, **{name: "1"}) == ["E017"]


def test_an_unknown_variable_is_told_with_the_one_that_may_be_meant(
    safe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_TRUSTED_PROXYS", "1")
    assert found(safe) == ["E002"]
    safe.ENV = "development"
    [unknown, _environment] = [*faults.anywhere(safe), *faults.of_deploy(safe, {})]
    assert (unknown.id, unknown.is_error) == ("millrace.W002", False)
    assert unknown.what == "There is no variable MILLRACE_TRUSTED_PROXYS; did you mean MILLRACE_TRUSTED_PROXIES?"


def test_a_value_that_is_not_accepted_is_found(safe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(env.wrong, "MILLRACE_PORT", "MILLRACE_PORT must be a number")
    assert found(safe) == ["E001"]


OPENED: list[Callable[[Path], Path]] = [
    lambda var: var,
    lambda var: var / "secrets.json",
    lambda var: var / "broker",
    lambda var: var.parent / "elsewhere.sqlite3",
]


@pytest.mark.parametrize("which", OPENED)
def test_what_others_may_read_is_found(safe: SimpleNamespace, which: Callable[[Path], Path]) -> None:
    (safe.VAR / "broker").mkdir(mode=0o700)
    (safe.VAR / "db").touch(mode=0o644)  # in a folder that nobody can enter
    (elsewhere := safe.VAR.parent / "elsewhere.sqlite3").touch(mode=0o600)
    assert found(safe) == []
    opened = which(safe.VAR)
    opened.chmod(0o750 if opened.is_dir() else 0o640)
    if opened == elsewhere:
        safe.DATABASES[DEFAULT]["NAME"] = str(elsewhere)
        assert found(safe) == []  # nobody can enter its folder either
        elsewhere.parent.chmod(0o755)
    [fault] = faults.anywhere(safe)
    assert (fault.id, fault.fix) == ("millrace.E016", f"chmod {'700' if opened.is_dir() else '600'} {opened}")


def test_tokens_of_the_checkouts_own_folder_are_found(safe: SimpleNamespace) -> None:
    safe.SECRETS = credentials.ensure(safe.ROOT / "var")
    assert found(safe) == ["E015"]


def test_djangos_check_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "TEST_HOOKS", ("CHAOS_",))  # bin/test sets others
    monkeypatch.setenv("MILLRACE_TRUSTED_PROXYS", "1")
    told = {message.id for message in run_checks(tags=[TAG], include_deployment_checks=True)}
    theirs = {fault.id for fault in [*faults.anywhere(settings), *faults.of_deploy(settings, {})]}
    assert told == theirs >= {"millrace.W002", "millrace.W003", "millrace.E006", "millrace.E015"}
    assert {message.id for message in run_checks(tags=[TAG])} == {"millrace.W002"}
