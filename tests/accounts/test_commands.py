"""The commands about accounts."""

import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django.fixtures import Settings

from apps.accounts import links, secrets_text, tokens
from apps.accounts.models import SignInLink, Token

PRINTABLE = "--name must be printable text of one line"
pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of a command that ends with code 2."""
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("error: ").strip()


def test_prepare_makes_what_a_start_needs_once(settings: Settings) -> None:
    settings.SECRETS = {"sink_token": secrets_text.make("mrs_"), "worker_token": secrets_text.make("mrw_")}
    for _ in range(2):
        run("prepare")
        admin = User.objects.get()
        assert (admin.username, admin.is_superuser, admin.has_usable_password()) == ("admin", True, False)
        assert [token.scopes for token in Token.objects.order_by("pk")] == [["sink"], ["worker"]]
        assert tokens.find(settings.SECRETS["sink_token"])


def test_prepare_leaves_other_users_alone(alice: User, settings: Settings) -> None:
    settings.SECRETS = {}
    run("prepare")
    assert list(User.objects.all()) == [alice]


def test_link_prints_an_address_and_nothing_else(admin: User, settings: Settings) -> None:
    settings.PORT = 8123
    assert re.fullmatch(r"http://127\.0\.0\.1:8123/start/[0-9A-Za-z]{49}\n", run("link"))
    assert SignInLink.objects.get().user == admin


def test_in_production_the_link_sets_a_password_and_works_from_anywhere(admin: User, settings: Settings) -> None:
    settings.ENV, settings.PUBLIC_URL = "production", "https://mill.example"
    printed = run("link")
    assert re.fullmatch(r"https://mill\.example/join/[0-9A-Za-z]{49}\n", printed)
    assert links.invited(printed.strip().rpartition("/")[2]) == admin


def test_link_is_for_whom_it_is_asked(alice: User, admin: User) -> None:
    run("link", "--user", "alice")
    assert SignInLink.objects.get().user == alice


def test_link_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "link") == "there is no superuser yet: run ./manage.py prepare"
    assert refusal(capsys, "link", "--user", "bob") == "there is no active user 'bob'"
    assert refusal(capsys, "link", "--user", "\udcff") == r"there is no active user '\udcff'"


def test_token_create_prints_the_token_and_nothing_else(alice: User) -> None:
    text = run("token", "create", "--user", "alice", "--scope", "tasks:read", "--scope", "tasks:write", "--name", "CI")
    assert re.fullmatch(r"mrp_[0-9A-Za-z]{49}\n", text)
    token = tokens.find(text.strip())
    assert token is not None
    assert (token.user, token.scopes, token.name) == (alice, ["tasks:read", "tasks:write"], "CI")


def test_a_sinks_token_needs_no_user() -> None:
    token = tokens.find(run("token", "create", "--scope", "sink").strip())
    assert token is not None
    assert (token.user, token.expires_at) == (None, None)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--user", "bob", "--scope", "tasks:read"], "there is no active user 'bob'"),
        (["--scope", "tasks:read"], "--user is missing: the scopes tasks:read are a person's"),
        (
            ["--user", "alice", "--scope", "root"],
            "--scope must be one of tasks:read, tasks:write, ops, worker, sink (got 'root')",
        ),
        (["--user", "alice"], "--scope must be one of tasks:read, tasks:write, ops, worker, sink (got none)"),
        (
            ["--user", "alice", "--scope", "ops", "--expires-days", "0"],
            "--expires-days must be a whole number from 1 to 3650 (got '0')",
        ),
        (
            ["--user", "alice", "--scope", "ops", "--expires-days", "x"],
            "--expires-days must be a whole number from 1 to 3650 (got 'x')",
        ),
        (
            ["--user", "alice", "--scope", "ops", "--name", "n" * 101],
            "--name may have at most 100 characters (it has 101)",
        ),
        (
            ["--user", "alice", "--scope", "ops", "--expires-days", "9" * 5000],
            f"--expires-days must be a whole number from 1 to 3650 (got '{'9' * 49})",
        ),
        (
            ["--user", "alice", "--scope", "ops", "--name", "a\nb\x1b[31m"],
            rf"{PRINTABLE} (got 'a\nb\x1b[31m')",
        ),
        (["--user", "alice", "--scope", "ops", "--name", "\udcff"], rf"{PRINTABLE} (got '\udcff')"),
        (["--user", "\udcff", "--scope", "ops"], r"there is no active user '\udcff'"),
        (["--colour", "red"], "unknown option --colour"),
        (["--usr=alice"], "unknown option --usr; did you mean --user?"),
        (["alice"], "unknown argument alice"),
    ],
)
def test_token_create_says_in_one_line_what_is_wrong(
    alice: User, capsys: pytest.CaptureFixture[str], words: list[str], problem: str
) -> None:
    assert refusal(capsys, "token", "create", *words) == problem
    assert not Token.objects.exists()


def test_token_alone_says_what_it_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "token") == "the following arguments are required: create|list|revoke"


def test_tokens_are_listed_without_their_secret(alice: User) -> None:
    text = run("token", "create", "--user", "alice", "--scope", "tasks:read", "--name", "laptop").strip()
    head, line = run("token", "list").splitlines()
    assert head.split()[:3] == ["PREFIX", "USER", "SCOPES"]
    assert line.startswith(text[:12])
    assert "alice" in line
    assert line.endswith("laptop")
    assert text[12:20] not in line


def test_a_revoked_token_is_over(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    text = run("token", "create", "--user", "alice", "--scope", "tasks:read").strip()
    assert run("token", "revoke", text[:12]) == f"Revoked {text[:12]}...\n"
    assert tokens.find(text) is None
    assert "revoked" in run("token", "list")
    assert refusal(capsys, "token", "revoke", text[:12]) == f"no valid token begins with {text[:12]!r}"


def test_a_prefix_of_two_tokens_revokes_neither(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        run("token", "create", "--user", "alice", "--scope", "tasks:read")
    assert refusal(capsys, "token", "revoke", "\udcff") == r"no valid token begins with '\udcff'"
    assert refusal(capsys, "token", "revoke", "mrp_") == "several tokens begin with 'mrp_'"
    assert not Token.objects.exclude(revoked_at=None).exists()
