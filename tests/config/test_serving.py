"""Where the web listens, what it leaves unwritten, and who is answered by which thread."""

import os
import runpy
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from config import serving

GUNICORN = runpy.run_path("site/config/gunicorn.py")


def test_the_web_listens_on_this_machine_alone() -> None:
    assert GUNICORN["bind"].startswith("127.0.0.1:")


def test_no_address_is_written_into_a_log_of_requests() -> None:
    """Links and invitations are in addresses."""
    assert "accesslog" not in GUNICORN


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def worker() -> Iterator[serving.Worker]:
    """With a single thread."""
    config = Config()
    worker = serving.Worker(1, os.getpid(), [], None, 30, config, Logger(config))
    with ThreadPoolExecutor(1) as worker.tpool:
        yield worker
    worker.tmp.close()


@pytest.fixture
def connection(worker: serving.Worker) -> Iterator[tuple[socket.socket, TConn]]:
    """Its client's end and its own."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(REQUEST)
        yield ours, TConn(worker.cfg, theirs, "", "")


def test_who_has_asked_again_is_answered_by_the_same_thread(
    worker: serving.Worker, connection: tuple[socket.socket, TConn]
) -> None:
    client, conn = connection
    meanwhile = [REQUEST, REQUEST, b""]

    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        client.sendall(meanwhile.pop(0))
        start("204 No Content", [])
        return []

    worker.wsgi = app
    assert worker.handle(conn) is True
    assert meanwhile == []
    assert client.recv(4_096).count(b"HTTP/1.1 204") == 3


def test_it_goes_to_who_waits_for_a_thread(worker: serving.Worker, connection: tuple[socket.socket, TConn]) -> None:
    client, conn = connection
    answered: list[str] = []

    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        if not answered:
            client.sendall(REQUEST)
            worker.tpool.submit(answered.append, "another")
        answered.append("the first")
        start("204 No Content", [])
        return []

    worker.wsgi = app
    assert worker.tpool.submit(worker.handle, conn).result(30) is True
    worker.tpool.shutdown()
    assert answered == ["the first", "another"]


def test_an_answer_to_head_has_the_length_of_the_body_it_leaves_out(
    worker: serving.Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is said of it in the log."""
    client, theirs = socket.socketpair()
    worker.wsgi = WSGIHandler()
    with client, theirs:
        client.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: testserver\r\n\r\n")
        worker.handle(TConn(worker.cfg, theirs, "", ""))
        head, _, body = client.recv(65_536).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert f"Content-Length: {len(Client().get('/healthz').content)}".encode() in head.splitlines()
    assert body == b""
    assert caplog.messages == []
