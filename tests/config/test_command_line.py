"""What `manage.py` says in one line, run as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import command_line
from tests.fixtures.processes import ROOT

UNUSABLE = {
    "sqlite:////nope/dir/x.db": "the database /nope/dir/x.db cannot be used: there is no folder /nope/dir",
    "sqlite:///{folder}/text": "the database {folder}/text cannot be used: file is not a database",
    "postgres://u:secret@127.0.0.1:1/x": (
        'the database cannot be used: connection failed: connection to server at "127.0.0.1", port 1 failed:'
        " Connection refused"
    ),
}


def refusal(var: Path, *words: str, **environment: str) -> str:
    """All that it says, with exit code 2."""
    given = {"PATH": os.environ["PATH"], "MILLRACE_VAR": str(var), "MILLRACE_SECRET_KEY": "k" * 50, **environment}
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=150, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done
    [line] = done.stderr.splitlines()
    return line.removeprefix("error: ")


@pytest.mark.parametrize("command", ["prepare", "token list"])
@pytest.mark.parametrize("url", UNUSABLE)
def test_a_database_that_cannot_be_used_is_told_without_a_traceback(command: str, url: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database\n" * 100)
    said = refusal(tmp_path, *command.split(), DATABASE_URL=url.format(folder=tmp_path))
    assert said == UNUSABLE[url].format(folder=tmp_path)


def test_a_database_without_tables_is_told_with_the_remedy(tmp_path: Path) -> None:
    said = refusal(tmp_path, "token", "list")
    assert said == (
        f"the database {tmp_path}/millrace.sqlite3 is not prepared (no such table: accounts_token);"
        " run ./manage.py prepare"
    )


def test_the_relay_says_which_folder_it_lacks(tmp_path: Path) -> None:
    said = refusal(tmp_path / "none", "relay", RABBITMQ_URL="amqp://u:secret@127.0.0.1:1/")
    assert said == f"{tmp_path}/none/relay.lock cannot be used: no such file or directory"


def test_an_option_that_a_command_does_not_have_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "schema", "--bogus") == "unknown option --bogus"


@pytest.mark.parametrize("command", ["schema", "relay", "migrate"])
def test_so_it_is_by_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    hints = {"--bogus": "", "--no-colour": "; did you mean --no-color?"}
    for option, hint in hints.items():
        with pytest.raises(SystemExit) as left:
            command_line.run(["manage.py", command, option])
        assert (left.value.code, *capsys.readouterr()) == (2, "", f"error: unknown option {option}{hint}\n")
