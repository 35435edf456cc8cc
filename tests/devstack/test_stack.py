"""What bin/dev makes of /readyz."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from devstack import credentials
from devstack.stack import what_is_missing

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
