"""A wrong setting stops the start with one line that says what is accepted."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config import env
from devstack import credentials


@pytest.mark.parametrize("value", ["0", "65536", "-1", "abc", "8000.0", "٣", " 80"])
def test_a_wrong_number_is_refused_with_the_range(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILLRACE_PORT", value)
    with pytest.raises(SystemExit) as stop:
        env.whole_number("MILLRACE_PORT", 8000, 1, 65535)
    assert stop.value.code == 2
    assert capsys.readouterr().err == (f"error: MILLRACE_PORT must be a whole number from 1 to 65535 (got {value!r})\n")


def test_what_is_not_set_or_empty_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_PORT", "")
    assert env.whole_number("MILLRACE_PORT", 8000, 1, 65535) == 8000
    assert env.flag("MILLRACE_DEBUG", default=False) is False
    assert env.hosts("MILLRACE_ALLOWED_HOSTS") == ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_flags_are_read_in_every_common_form(value: str, meant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_DEBUG", value)
    assert env.flag("MILLRACE_DEBUG", default=not meant) is meant


@pytest.mark.parametrize("url", ["nonsense", "mysql://root:secret@h/db", "postgres://u:secret@h:port/db", "sqlite://"])
def test_a_wrong_database_url_is_refused_without_showing_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit):
        env.database("DATABASE_URL", Path("unused"))
    complaint = capsys.readouterr().err
    assert complaint.startswith("error: DATABASE_URL must be sqlite:///path/to/file or postgres://")
    assert "secret" not in complaint
    assert len(complaint.splitlines()) == 1


def test_database_urls_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://ana:p%40ss@db:5433/mill")
    read = env.database("DATABASE_URL", Path("unused"))
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"]) == (
        "ana",
        "p@ss",
        "db",
        5433,
        "mill",
    )
    monkeypatch.setenv("DATABASE_URL", "sqlite:////var/lib/mill.sqlite3")
    assert env.database("DATABASE_URL", Path("unused"))["NAME"] == "/var/lib/mill.sqlite3"


def storage() -> dict[str, Any]:
    return env.storage("MILLRACE_ARTIFACTS_STORAGE", "MILLRACE_ARTIFACTS_OPTIONS", Path("/var/own"))


def test_artifacts_are_kept_in_a_folder_or_another_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert storage() == {"BACKEND": "config.folder.Folder", "OPTIONS": {"location": Path("/var/own")}}
    monkeypatch.setenv("MILLRACE_ARTIFACTS_STORAGE", "/srv/artifacts")
    assert storage()["OPTIONS"] == {"location": Path("/srv/artifacts")}
    monkeypatch.setenv("MILLRACE_ARTIFACTS_STORAGE", "django.core.files.storage.InMemoryStorage")
    monkeypatch.setenv("MILLRACE_ARTIFACTS_OPTIONS", '{"base_url": "/x/"}')
    assert storage() == {"BACKEND": "django.core.files.storage.InMemoryStorage", "OPTIONS": {"base_url": "/x/"}}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MILLRACE_ARTIFACTS_STORAGE", "s3", "a folder, such as /srv/artifacts"),
        ("MILLRACE_ARTIFACTS_STORAGE", "not_there.S3", "installed here"),
        ("MILLRACE_ARTIFACTS_STORAGE", "..", "a folder"),
        ("MILLRACE_ARTIFACTS_OPTIONS", "[1]", "a JSON object"),
        ("MILLRACE_ARTIFACTS_OPTIONS", '{"secret_key": "hush"', "a JSON object"),
    ],
)
def test_a_storage_that_is_none_is_refused_without_showing_its_secrets(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILLRACE_ARTIFACTS_STORAGE", "django.core.files.storage.InMemoryStorage")
    monkeypatch.setenv(name, value)
    line = refusal(capsys, storage)
    assert line.startswith(f"error: {name} must be {said}") or said in line
    assert "hush" not in line


def test_secrets_are_read_and_a_broken_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert env.secrets(tmp_path) == {}
    assert credentials.ensure(tmp_path) == env.secrets(tmp_path)
    (tmp_path / "secrets.json").write_text("{")
    assert refusal(capsys, lambda: env.secrets(tmp_path)).startswith(
        f"error: {tmp_path}/secrets.json cannot be used: it is not JSON; "
    )


def refusal(capsys: pytest.CaptureFixture[str], read: Callable[[], object]) -> str:
    with pytest.raises(SystemExit) as stop:
        read()
    assert stop.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_this_machines_own_names_are_answered_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_ALLOWED_HOSTS", "example.com, .example.org,[fd00::1],")
    own = ["localhost", "127.0.0.1", "[::1]"]
    assert env.hosts("MILLRACE_ALLOWED_HOSTS") == [*own, "example.com", ".example.org", "[fd00::1]"]


@pytest.mark.parametrize("value", ["*", "https://example.com", "example.com:8000", "a b", "*.example.com", "."])
def test_what_is_no_host_name_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILLRACE_ALLOWED_HOSTS", value)
    line = refusal(capsys, lambda: env.hosts("MILLRACE_ALLOWED_HOSTS"))
    assert line.startswith("error: MILLRACE_ALLOWED_HOSTS must be host names without scheme and port")
    assert line.endswith(f"(got {value!r})")


def test_a_short_secret_key_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILLRACE_SECRET_KEY", "hush")
    line = refusal(capsys, lambda: env.secret_key("MILLRACE_SECRET_KEY", ""))
    assert line == (
        "error: MILLRACE_SECRET_KEY must be at least 50 characters that nobody can guess (got 4 characters)"
    )
    monkeypatch.setenv("MILLRACE_SECRET_KEY", "k" * 50)
    assert env.secret_key("MILLRACE_SECRET_KEY", "") == "k" * 50


def test_proxies_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MILLRACE_TRUSTED_PROXIES", "10.0.0.5, fd00::/8")
    assert list(map(str, env.networks("MILLRACE_TRUSTED_PROXIES"))) == ["10.0.0.5/32", "fd00::/8"]
    monkeypatch.setenv("MILLRACE_TRUSTED_PROXIES", "proxy.example")
    with pytest.raises(SystemExit):
        env.networks("MILLRACE_TRUSTED_PROXIES")
    assert "addresses or networks, such as 10.0.0.5 or 10.0.0.0/24" in capsys.readouterr().err


def test_the_public_address_is_a_scheme_and_a_host(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for url, host in {"https://a.example/": "a.example", "http://[::1]:81": "[::1]", "": ""}.items():
        monkeypatch.setenv("MILLRACE_PUBLIC_URL", url)
        assert env.bare_host(env.origin("MILLRACE_PUBLIC_URL")) == host
    for url in ("a.example", "ftp://a.example", "https://a.example/path", "https://a.example:x", "https://u@a.example"):
        monkeypatch.setenv("MILLRACE_PUBLIC_URL", url)
        with pytest.raises(SystemExit):
            env.origin("MILLRACE_PUBLIC_URL")
        assert "scheme and host, such as https://millrace.example.org" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "cookie"),
    [("https://mill.example", "__Host-millrace_session True"), ("http://mill.example", "millrace_session False")],
)
def test_over_https_no_cookie_travels_without_it(url: str, cookie: str) -> None:
    code = (
        "from config import settings as s; print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.ALLOWED_HOSTS[-1])"
    )
    environment = {**os.environ, "MILLRACE_PUBLIC_URL": url, "PYTHONPATH": ".:site"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{cookie} mill.example\n"
