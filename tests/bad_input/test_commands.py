"""What commands answer to bad input that no test of their own folder has, by the numbers of docs/bad-input.md."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config import command_line
from devstack import credentials, node, places, rabbitmq
from devstack.screen import Stop
from tests.fixtures.processes import ROOT
from workers.policy import LONGEST_SECONDS

PYTHON = sys.executable
NARROW = {"COLUMNS": "40", "NO_COLOR": "1", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}


def shell(line: str, var: Path) -> "subprocess.CompletedProcess[str]":
    """As somebody types it, in a narrow terminal of a plain locale."""
    nowhere = f"amqp://u:p@127.0.0.1:{credentials.free_port()}/"
    given = {"MILLRACE_VAR": str(var), "MILLRACE_SECRET_KEY": "k" * 60, "RABBITMQ_URL": nowhere}
    environment = {"PATH": os.environ["PATH"], **NARROW, **given}
    command = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=150, check=False, errors="replace"
    )


MANAGE, CLIENT = f"{PYTHON} manage.py", f"PYTHONPATH=site {PYTHON} -m millrace"


LINES = {
    "66 command": (f"{MANAGE} relai", "there is no command relai; did you mean relay?"),
    "66 no command": (f"{MANAGE} xyzzy", "there is no command xyzzy; ./manage.py help lists them"),
    "66 client": (f"{CLIENT} lst", "there is no command lst; did you mean list? (millrace --help)"),
    "66 option": (f"{CLIENT} list --limt 5", "there is no --limt; did you mean --limit? (millrace list --help)"),
    "74 seconds": (
        f"{CLIENT} create demo.noop --delay nan",
        "argument --delay: must be a number of seconds from 0 to 1000000000 (got 'nan') (millrace create --help)",
    ),
    "68 option": (
        f"DATABASE_URL='postgres://u:p@h/x?nonsense=1' {MANAGE} token list",
        "DATABASE_URL has an option that PostgreSQL does not know: nonsense",
    ),
    "68 folder": (
        f"DATABASE_URL=sqlite:////nope/x.db {MANAGE} token list",
        "the database /nope/x.db cannot be used: there is no folder /nope",
    ),
    "78 Python": (
        f"{PYTHON} -c 'import sys; sys.path.append(\"site\"); sys.version_info = (3, 9, 2); import devstack'",
        "Millrace needs Python 3.11 or newer (this is 3.9.2)",
    ),
    "79 full": (f"{MANAGE} help doctor >/dev/full", "what is printed cannot be written: there is no space left"),
    "79 head": (f"{MANAGE} help doctor | true", ""),
    "79 client": (f"MILLRACE_API_TOKEN=x {CLIENT} create demo.noop --json - <&-", ""),
    "79 closed": (f"{MANAGE} help doctor <&- >&-", ""),
}


@pytest.mark.parametrize("number", LINES)
def test_a_command_says_one_line(number: str, tmp_path: Path) -> None:
    line, said = LINES[number]
    done = shell(line, tmp_path)
    assert (done.returncode, done.stderr) == ((2, f"error: {said}\n") if said else (0, ""))


@pytest.mark.parametrize("streams", ["2>/dev/full", "<&- >&- 2>&-"])
@pytest.mark.parametrize("module", ["sink", "workers"])
def test_a_process_lives_on_though_its_log_cannot_be_written(module: str, streams: str) -> None:
    """It says that there is no RabbitMQ, and comes again."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        nobody.settimeout(60)
        url = f"amqp://u:p@127.0.0.1:{nobody.getsockname()[1]}/"
        given = {"RABBITMQ_URL": url, "MILLRACE_TOKEN": "token", "MILLRACE_HANDLERS": "workers.handlers.demo"}
        environment = {"PATH": os.environ["PATH"], **given}
        process = subprocess.Popen(["bash", "-c", f"exec {PYTHON} -m {module} {streams}"], cwd=ROOT, env=environment)
        try:
            for _ in range(5):
                nobody.accept()[0].close()
            assert process.poll() is None
        finally:
            process.terminate()
            assert process.wait(120) == 0


@contextmanager
def somebody_else() -> Iterator[None]:
    """Root is refused nothing."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_database_of_another_user_is_told_with_whose_it_is(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", "/etc/shadow")
    with somebody_else():
        said = command_line._why_unable("unable to open database file")
    assert said.startswith("/etc is not open to the user ")
    assert said.endswith("; run this as root, to whom it belongs")


def test_secrets_of_another_user_are_not_to_be_thrown_away(tmp_path: Path) -> None:
    credentials.ensure(tmp_path / "var")
    (tmp_path / "var/secrets.json").chmod(0)
    with somebody_else(), pytest.raises(Stop, match=r"is not open to the user .*, to whom") as stop:
        credentials.read(tmp_path / "var")
    assert "remove" not in str(stop.value)


def test_a_file_that_is_open_to_whoever_asks_is_told_nothing_of(tmp_path: Path) -> None:
    assert places.not_open(tmp_path / "new") == ""


def test_no_time_limit_is_beyond_what_the_private_broker_waits() -> None:
    assert node.CONSUMER_TIMEOUT_SECONDS > LONGEST_SECONDS
    assert f"consumer_timeout = {node.CONSUMER_TIMEOUT_SECONDS}000\n" in node._configuration(5672)


def test_without_rabbitmq_and_apt_it_is_told_where_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rabbitmq, "find", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("RABBITMQ_URL", raising=False)
    with pytest.raises(Stop, match=r"RabbitMQ is missing: install it \(brew install rabbitmq\), or set RABBITMQ_URL"):
        rabbitmq.ensure()
