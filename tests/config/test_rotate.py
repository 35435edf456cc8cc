"""Other tokens for sink and workers."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts import secrets_text, tokens
from apps.accounts.models import Token
from devstack import credentials, roles

pytestmark = pytest.mark.django_db


@pytest.fixture
def var(tmp_path: Path, settings: Settings) -> Path:
    """A folder after its first start."""
    settings.VAR = tmp_path
    settings.SECRETS = credentials.ensure(tmp_path)
    call_command("prepare")
    return tmp_path


def rotate(*words: str) -> str:
    out = StringIO()
    call_command("rotate", *words, stdout=out)
    return out.getvalue()


def test_old_and_new_are_both_valid_for_a_day(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = credentials.read(var)
    said = rotate()
    new = credentials.read(var)
    for role in ("sink", "worker"):
        name = f"{role}_token"
        assert old[name] != new[name]
        assert secrets_text.is_whole(new[name])
        for text in (old[name], new[name]):
            token = tokens.find(text)
            assert token is not None
            assert token.scopes == [role]
        ends = Token.objects.get(hash=secrets_text.hashed(old[name])).expires_at
        assert ends is not None
        assert abs(ends - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)
    assert {**old, "sink_token": "", "worker_token": ""} == {**new, "sink_token": "", "worker_token": ""}
    assert f"{var / 'secrets.json'}" not in said
    assert not any(text in said for text in (old["sink_token"], new["sink_token"]))
    monkeypatch.setenv("MILLRACE_VAR", str(var))
    assert roles.environment("sink")["MILLRACE_TOKEN"] == new["sink_token"], "what its next start is given"


def test_one_of_them_at_once(var: Path) -> None:
    old = credentials.read(var)
    assert rotate("worker", "--hours", "0").startswith("The worker has a new token; the old one is valid until ")
    assert tokens.find(old["worker_token"]) is None
    assert tokens.find(old["sink_token"])
    assert credentials.read(var)["sink_token"] == old["sink_token"]


def test_the_next_start_leaves_the_old_one_ended(var: Path, settings: Settings) -> None:
    old = credentials.read(var)["sink_token"]
    rotate("sink", "--hours", "0")
    settings.SECRETS = credentials.read(var)
    call_command("prepare")
    assert tokens.find(old) is None


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["relay"], "only the tokens of sink and worker are rotated (got 'relay')"),
        (["--hours", "-1"], "--hours must be a whole number from 0 to 720 (got '-1')"),
        (["--hours", "721"], "--hours must be a whole number from 0 to 720 (got '721')"),
        ([], "there is no secrets.json in "),
    ],
)
def test_what_cannot_be_rotated_is_told_in_one_line(
    words: list[str], problem: str, tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.VAR = tmp_path
    with pytest.raises(SystemExit) as ended:
        rotate(*words)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"error: {problem}")
    assert complaint.count("\n") == 1
