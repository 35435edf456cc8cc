"""What bin/dev refuses, and that it leaves with the tests. A start of everything is tested in tests/system."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import claim, credentials, places
from devstack.dev import _check_port, _keep_ways_to_handlers
from devstack.screen import Stop
from tests.fixtures.processes import eventually
from tests.fixtures.stack import Stack

OURS = ("MILLRACE_", "DJANGO_", "DATABASE_URL", "RABBITMQ_URL", "WEB_CONCURRENCY")


def refusal(*arguments: str, **environment: str) -> str:
    """What it complains of, which is all that it says, with exit code 2."""
    done = dev(*arguments, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done
    return done.stderr


def dev(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        ["bin/dev", *arguments],
        cwd=places.ROOT,
        env={**outside, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_wrong_option_is_one_line() -> None:
    assert refusal("--workers", "none") == "error: --workers must be a whole number from 1 to 64 (got 'none')\n"


def test_a_wrong_variable_is_one_line() -> None:
    sentence = "error: MILLRACE_PORT must be a whole number from 1 to 65535 (got 'abc')\n"
    assert refusal(MILLRACE_PORT="abc") == sentence


def test_a_variable_of_no_meaning_is_one_line_of_warning() -> None:
    done = dev("--workers", "none", MILLRACE_PROT="9000")
    assert done.stderr.splitlines()[0] == "warning: there is no variable MILLRACE_PROT; did you mean MILLRACE_PORT?"


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = refusal("--port", str(port), "--var", str(tmp_path / "var"))
    assert said == f"error: port {port} is taken by another program; choose another one with --port\n"
    assert not (tmp_path / "var").exists()


def test_a_port_of_root_is_told_apart_from_a_taken_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(port: int) -> None:
        raise PermissionError

    monkeypatch.setattr(credentials, "bind", refuse)  # the tests may be root themselves
    with pytest.raises(Stop, match=r"^port 80 is for root alone; choose one from 1024 with --port$"):
        _check_port(80)


def test_what_is_named_from_the_folder_of_the_start_is_found_from_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "mine::/others")
    monkeypatch.setenv("MILLRACE_HANDLERS_FOLDER", "")
    monkeypatch.delenv("MILLRACE_HANDLERS_FOLDER")
    _keep_ways_to_handlers()
    assert os.environ["PYTHONPATH"] == f"{tmp_path / 'mine'}:/others"
    assert os.environ["MILLRACE_HANDLERS_FOLDER"] == str(tmp_path)


def test_a_start_beside_a_worker_that_runs_by_itself_is_refused(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as first, claim.take_part(tmp_path, "worker", owner=first.pid):
        said = refusal("--port", str(credentials.free_port()), "--var", str(tmp_path))
        first.kill()
    assert said == f"error: Millrace already runs on {tmp_path} (process {first.pid}); stop it, or use --var\n"


@pytest.mark.parametrize("name", ["a-file", "a-file/var"])
def test_a_folder_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    sentence = f"error: {tmp_path / name} cannot be used: {tmp_path}/a-file is not a folder\n"
    assert refusal("--port", str(credentials.free_port()), "--var", str(tmp_path / name)) == sentence


def test_a_folder_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    (home / "letter").touch()
    assert refusal("--var", str(home)) == f"error: {home} holds other files; name a new or an empty folder\n"
    assert home.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in home.iterdir()] == ["letter"]


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"MILLRACE_HANDLERS": "nonexist"}, r"error: MILLRACE_HANDLERS: module 'nonexist' cannot be imported .*"),
        ({"MILLRACE_URL": "foo"}, r"error: MILLRACE_URL must be a URL such as http://127\.0\.0\.1:8000 \(got 'foo'\)"),
    ],
)
def test_what_a_part_refuses_to_run_with_ends_the_start_with_its_line(
    environment: dict[str, str], line: str, tmp_path: Path
) -> None:
    nowhere = f"amqp://nobody:nothing@127.0.0.1:{credentials.free_port()}/"
    done = dev(
        "--port", str(credentials.free_port()), "--var", str(tmp_path / "var"), RABBITMQ_URL=nowhere, **environment
    )

    assert (done.returncode, done.stderr) == (2, "")
    database, start, complaint, ended = done.stdout.splitlines()
    assert database.startswith("Database ... ")
    assert start == "Starting everything ..."
    assert re.fullmatch(r" *(worker|sink)\.[12] \| " + line, complaint)
    assert ended.startswith("Starting everything ... ")


def test_what_a_test_starts_leaves_with_the_test_run_also_while_it_starts(tmp_path: Path) -> None:
    start = "import sys, pathlib, tests.fixtures.stack as s; s.Stack(pathlib.Path(sys.argv[1]), workers=1).start()"
    environment = {**os.environ, "PYTHONPATH": f"{places.ROOT}:{places.ROOT / 'site'}"}
    run = subprocess.Popen([sys.executable, "-c", start, str(tmp_path)], cwd=places.ROOT, env=environment)
    below = Stack(tmp_path, workers=1)
    eventually(below.processes)
    run.kill()
    run.wait()
    eventually(lambda: not below.processes())
