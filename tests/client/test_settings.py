"""Where the client takes the address and the token from, and what it does not take."""

import stat
from pathlib import Path

import pytest

from millrace import Client, Misconfigured, settings


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MILLRACE_URL", "MILLRACE_API_TOKEN", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".config" / "millrace" / "token"
    file.parent.mkdir(parents=True)
    return file


def test_the_token_is_taken_from_the_environment_else_from_a_file_of_ones_own(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("of-the-file\n")
    file.chmod(0o600)
    assert settings.token() == "of-the-file"
    monkeypatch.setenv("MILLRACE_API_TOKEN", "of-the-environment")
    assert settings.token() == "of-the-environment"
    assert settings.token("given") == "given"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_can_read_is_refused_with_what_mends_it(file: Path, mode: int) -> None:
    file.write_text("secret")
    file.chmod(mode)
    with pytest.raises(Misconfigured) as refused:
        Client()
    assert str(refused.value) == f"others can read {file} (mode {mode:o}): chmod 600 {file}"
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.parametrize(("text", "said"), [(None, "no token: set"), ("", "is empty"), ("a b", "no token has")])
def test_no_token_is_told(file: Path, text: str | None, said: str) -> None:
    if text is not None:
        file.write_text(text)
        file.chmod(0o600)
    with pytest.raises(Misconfigured, match=said):
        settings.token()


def test_the_address_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.url() == "http://127.0.0.1:8000"
    monkeypatch.setenv("MILLRACE_URL", "https://tasks.example.org/millrace/")
    assert settings.url() == "https://tasks.example.org/millrace"
    for wrong in (
        "tasks.example.org",
        "ftp://x",
        "http://",
        "http://x:99999",
        "http://x:y",
        "http://a@b",
        "http://x?y",
        "http://[::1",
        "http://a..b",
        "http://a b",
        "http://x/ü",
    ):
        with pytest.raises(Misconfigured, match="MILLRACE_URL must look like"):
            settings.url(wrong)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://eve:secret@tasks.example.org/x", "https://tasks.example.org/x"),
        ("https://:secret@tasks.example.org", "https://tasks.example.org"),
        ("https://eve:sec/ret@tasks.example.org", "https://tasks.example.org"),
        ("https://eve:secret@[::1", "https://[::1"),
        ("eve:secret@tasks.example.org", "tasks.example.org"),
    ],
)
def test_a_password_in_the_address_is_refused_and_not_shown(address: str, shown: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        settings.url(address)
    assert str(refused.value) == (
        f"MILLRACE_URL must look like https://tasks.example.org, without a user (it is {shown!r})"
    )
    assert refused.value.__cause__ is None
