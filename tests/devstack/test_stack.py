"""What bin/dev makes of /readyz, and real honcho and keepers with small programs in the places of the parts."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from devstack import credentials, lifeline, places
from devstack.stack import what_is_missing
from tests.devstack.conftest import Checkout, line_of
from tests.fixtures.processes import eventually

FINE = {"ok": True, "detail": "Running."}
READY = {"ready": True, "database": FINE, "broker": FINE, "relay": FINE, "sink": FINE, "workers": {**FINE, "count": 2}}


@pytest.fixture
def web() -> Iterator[Callable[[int, Any], int]]:
    """A web that answers as told; gives its port."""
    servers: list[HTTPServer] = []

    def answer(code: int, report: Any) -> int:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(report).encode())

            def log_message(self, *_: Any) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Answer))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_port

    yield answer
    for server in servers:
        server.shutdown()
        server.server_close()


def test_nothing_is_missing_when_every_part_and_all_workers_are_there(web: Callable[[int, Any], int]) -> None:
    assert what_is_missing(web(200, READY), workers=2) == ""


def test_the_first_part_that_is_missing_is_named_with_its_reason(web: Callable[[int, Any], int]) -> None:
    report = {**READY, "ready": False, "relay": {"ok": False, "detail": "No sign of life for 12 s."}}

    assert what_is_missing(web(503, report), workers=2) == "relay: No sign of life for 12 s"


def test_workers_are_counted(web: Callable[[int, Any], int]) -> None:
    assert what_is_missing(web(200, READY), workers=4) == "2 of 4 workers are there"


def test_a_web_that_is_not_there_yet_is_missing(web: Callable[[int, Any], int]) -> None:
    port = credentials.free_port()
    assert what_is_missing(port, workers=1) == f"nothing answers on 127.0.0.1:{port}"

    broken = web(500, {})
    assert what_is_missing(broken, workers=1) == f"nothing answers on 127.0.0.1:{broken}"


def test_no_proxy_is_asked_for_this_machine(web: Callable[[int, Any], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{credentials.free_port()}")

    assert what_is_missing(web(200, READY), workers=2) == ""


RUN = (
    "import os, signal, sys; from devstack.stack import Stack",
    "stack = Stack(2, dict(os.environ))",
    "signal.signal(signal.SIGTERM, lambda *_: stack.stop())",
    "stack.telling.speak(with_the_past=True)",
    "code = stack.wait()",
    "sys.exit(0 if stack.stopping else code or 1)",
)
KEPT = "PYTHONPATH=site exec .venv/bin/python -m devstack.keep {role} -- sh -c 'echo ready; exec {command}'"


@dataclass
class Tree:
    """A running stack of a sink and two workers."""

    starter: subprocess.Popen[str]
    honcho: int

    @property
    def wrappers(self) -> list[int]:
        return lifeline.children_of(self.honcho)


@pytest.fixture
def tree(checkout: Checkout, request: pytest.FixtureRequest) -> Iterator[Tree]:
    command = getattr(request, "param", "sleep 300")
    (checkout.root / ".venv").symlink_to(places.VENV)
    (checkout.root / "Procfile.dev").write_text(
        "".join(f"{role}: {KEPT.format(role=role, command=command)}\n" for role in ("sink", "worker"))
    )
    credentials.ensure(checkout.root / "var")
    starter = checkout.start(*RUN)
    ready = 0
    while ready < 3:
        ready += line_of(starter).endswith("ready")
    yield Tree(starter, *lifeline.children_of(starter.pid))
    try:
        eventually(lambda: not processes_in(checkout.root))
    finally:
        for pid in processes_in(checkout.root):
            os.kill(pid, signal.SIGKILL)


def processes_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return found


def test_after_kill_9_of_the_starter_nothing_is_left_however_late_honcho_hears_of_it(tree: Tree) -> None:
    os.kill(tree.honcho, signal.SIGSTOP)
    tree.starter.kill()
    tree.starter.wait()
    os.kill(tree.honcho, signal.SIGCONT)


@pytest.mark.parametrize("tree", ["yes"], indirect=True)
def test_after_kill_9_of_the_starter_nothing_is_left_however_much_was_being_said(tree: Tree) -> None:
    tree.starter.kill()
    tree.starter.wait()


def test_after_kill_9_of_honcho_nothing_is_left_and_it_is_an_error(tree: Tree) -> None:
    os.kill(tree.honcho, signal.SIGKILL)
    assert tree.starter.wait() not in (0, 2)


def test_a_part_that_honcho_loses_ends_everything_with_an_error(tree: Tree) -> None:
    os.kill(tree.wrappers[0], signal.SIGKILL)
    assert tree.starter.wait() not in (0, 2)


def test_one_request_to_stop_is_enough_after_honcho_has_lost_a_part(tree: Tree) -> None:
    os.kill(tree.wrappers[0], signal.SIGKILL)
    tree.starter.terminate()
    assert tree.starter.wait() == 0
