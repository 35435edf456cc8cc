"""A running sandbox at each level that this machine has."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workers.sandbox.harness import Sandbox, python_is_readable_for_nobody
from workers.sandbox.limits import MIB, Limits
from workers.sandbox.probe import Findings, Level, find_bubblewrap, probe

CANARY = "canary-of-the-worker"
LIMITS = Limits(memory=600 * MIB, file_size=8 * MIB, tmp=32 * MIB)  # small, so that they are soon used up


@pytest.fixture(scope="session")
def found() -> Findings:
    """At its full level: a machine on which the tests run has to have it."""
    found = probe(LIMITS, find_bubblewrap())
    assert found.level is Level.FULL, found
    return found


# Who is root, with a Python that root alone can read, has no level without a view: see test_levels.py.
WAYS = ["full", "reduced", *(["bare"] if python_is_readable_for_nobody() else [])]


@pytest.fixture(scope="session")
def sandbox(found: Findings, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """At its full level, unless the test names another by `indirect`.

    *reduced*: in a view, where tasks may have no namespaces of their own. *bare*: reduced, without bubblewrap.
    """
    way = getattr(request, "param", "full")
    os.environ["CANARY"] = CANARY
    used = probe(LIMITS, None) if way == "bare" else found
    assert used.plan
    sandbox = Sandbox(replace(used.plan, namespaces=way == "full"), used.bubblewrap)
    yield sandbox
    sandbox.close()
    del os.environ["CANARY"]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Things of value around the sandbox."""
    var = tmp_path_factory.mktemp("var")
    (var / "secrets.json").write_text("{}")
    (var / "secrets.json").chmod(0o600)
    open_to_all = var / "open"
    open_to_all.write_text("open")
    open_to_all.chmod(0o666)
    sockets = var / "socket"
    with socket.create_server(("127.0.0.1", 0)) as server, _listening(str(sockets)), _listening("\0millrace-test"):
        yield {
            "secret": str(var / "secrets.json"),
            "open": str(open_to_all),
            "var": str(var),
            "checkout": str(Path(__file__).resolve().parents[3]),
            "worker": str(os.getpid()),
            "port": str(server.getsockname()[1]),
            "sockets": str(sockets),
        }


def _listening(address: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    return listening
