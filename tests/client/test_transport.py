"""The client in front of a real HTTP server that fails as servers and networks do."""

import fcntl
import hashlib
import io
import json
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import millrace
from millrace import Client, Options, Task, program, transport
from tests.fixtures.processes import eventually

QUEUES: dict[str, Any] = {"data": {"queues": []}}
ROW = {"number": 7, "name": "n", "kind": None, "status": "QUEUEING", "valueText": None, "queue": {"name": "default"}}
LISTED = {
    **ROW,
    **dict.fromkeys(("reason", "createdBy", "runAfter", "startedAt", "finishedAt", "runSeconds")),
    "priority": 0,
    "createdAt": "2026-10-01T00:00:00+00:00",
}
CREATED = {"data": {"createTasks": {"tasks": [ROW], "userErrors": []}}}
ARTIFACT = {"name": "../a/fit.csv", "contentType": "text/csv", "bytes": 3, "url": "/artifacts/1/x", "sha256": "0" * 64}


class Wait(int):
    """A status, with after how many seconds one may ask again."""

    seconds = "1"


class Web:
    """Answers with what is next in `answers`: data as JSON, a status, a Wait; "": the connection ends without a word.

    A signal: the same, after the program has got it.
    """

    def __init__(self) -> None:
        self.answers: deque[Any] = deque()
        self.asked: list[dict[str, Any]] = []
        self.connections = 0
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                web.connections += 1
                super().setup()

            def do_POST(self) -> None:
                web.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(web.answers.popleft())

            def do_GET(self) -> None:
                self.answer(b"a,b")

            def answer(self, answer: Any) -> None:
                if isinstance(answer, signal.Signals):
                    signal.pthread_kill(threading.main_thread().ident or 0, answer)
                    answer = ""
                if answer == "":
                    self.close_connection = True
                    return
                status = answer if isinstance(answer, int) else 200
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(int(status))
                if isinstance(answer, Wait):
                    self.send_header("Retry-After", answer.seconds)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = bool(web.answers and web.answers[0] == "closed" and web.answers.popleft())

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.stop()


@pytest.fixture
def client(web: Web, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.001)
    with Client(web.url, "t") as client:
        yield client


@pytest.fixture
def shell(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `millrace` asks this server."""
    monkeypatch.setenv("MILLRACE_URL", web.url)
    monkeypatch.setenv("MILLRACE_API_TOKEN", "t")


def test_a_fork_does_not_speak_on_the_connection_of_its_parent(client: Client, web: Web) -> None:
    web.answers += [QUEUES] * 3
    client.queues()
    child = os.fork()
    if not child:
        os._exit(client.queues() != [])
    assert os.waitpid(child, 0)[1] == 0
    client.queues()
    assert web.connections == 2


def test_a_creation_whose_answer_is_lost_is_sent_again_under_the_same_key(client: Client, web: Web) -> None:
    web.answers += ["", 503, 502, CREATED]
    assert client.create("demo.noop", x=1).number == 7
    keys = {each["variables"]["input"][0]["options"]["idempotencyKey"] for each in web.asked}
    assert (len(web.asked), len(keys)) == (4, 1)
    web.answers += [CREATED, CREATED]
    client.create("demo.noop", x=1)
    client.create("demo.noop", Options(idempotency_key="mine"), x=1)
    first, second = (each["variables"]["input"][0]["options"]["idempotencyKey"] for each in web.asked[4:])
    assert (first in keys, second) == (False, "mine")


def test_one_waits_as_long_as_the_server_says(client: Client, web: Web) -> None:
    web.answers += [Wait(429), CREATED]
    before = time.monotonic()
    assert client.create("demo.noop").number == 7
    assert time.monotonic() - before >= 1


def test_what_was_too_much_for_now_is_sent_again_whatever_it_is(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.001)
    task = Task(transport.Transport(web.url, "t", 5, 5), ROW)
    web.answers += [429, {"data": {"cancelTask": {"task": {**ROW, "status": "CANCELLED"}, "userErrors": []}}}]
    assert task.cancel().status == "CANCELLED"
    web.answers += [503]
    with pytest.raises(millrace.Unreachable):
        task.cancel()
    impatient = Client(web.url, "t", patience=0.5)
    web.answers += [Wait(429)]
    with pytest.raises(millrace.Refused, match="takes no more for now") as refused:
        impatient.create("demo.noop")
    assert [problem.code for problem in refused.value.problems] == ["RATE_LIMITED"]


@pytest.mark.parametrize("value", [float("inf"), float("nan"), datetime.now(UTC), Decimal(1), {1: {(2,): 3}}])
def test_what_is_no_json_is_told_with_its_place_before_anything_is_created(
    client: Client, web: Web, value: object
) -> None:
    web.answers += [CREATED, CREATED]
    with pytest.raises(millrace.Refused, match=r"^1000: cannot be written as JSON \(") as refused:
        client.create_many("demo.noop", [*[{"x": 1}] * 1_000, {"x": value}])
    assert (web.asked, list(refused.value.created)) == ([], [])
    with pytest.raises(millrace.Refused, match=r"^cannot be written as JSON \("):
        client.create("demo.noop", x=value)
    assert web.asked == []


def test_a_number_that_json_has_not_is_told_with_what_to_do(client: Client, web: Web) -> None:
    with pytest.raises(millrace.Refused, match="NaN and the infinities are no numbers there: leave them out, or give"):
        client.create("demo.noop", x={"deep": [float("nan")]})
    assert web.asked == []


TWICE = "'x' is given twice: leave one of them"


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["x=1", "x=2"], "", TWICE),
        (['x={"x": 1, "x": 1}'], "", TWICE),
        (["x=[1, NaN]"], "", 'NaN is no number that JSON has: leave it out, or give null, or "NaN" as text'),
        (["--json", "-"], '{"x":1,"x":2}', f"in the JSON that begins on line 1, {TWICE}"),
        (["--json", "-"], '{"x": 1}\n{"x": {"x": 1, "x": 2}}', f"in the JSON that begins on line 2, {TWICE}"),
        (["--json", "-"], '[{"x": NaN}]', "on line 1, NaN is no number that JSON has: leave it out, or give null"),
        (["--json", "-"], '{"x": [-Infinity]}', "-Infinity is no number that JSON has"),
        (["--json", "-"], '{"x": 1e999}', "1e999 is too large for a number: give a smaller one, or "),
    ],
)
def test_parameters_that_would_be_lost_are_refused_before_anything_is_asked(
    web: Web,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    words: list[str],
    stdin: str,
    said: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    assert program.main(["create", "demo.noop", *words]) == 2
    assert said in capsys.readouterr().err
    assert web.asked == []


@pytest.mark.usefixtures("shell")
def test_what_is_no_json_on_the_command_line_is_text(web: Web) -> None:
    web.answers += [CREATED]
    assert program.main(["create", "demo.noop", "x=NaN", "y=five", "z=5"]) == 0
    assert web.asked[0]["variables"]["input"][0]["params"] == {"x": "NaN", "y": "five", "z": 5}
    assert program.main(["retry", "7", "--set", "x=1", "--set", "x=2"]) == 2


@pytest.mark.usefixtures("shell")
def test_ctrl_c_amid_many_prints_those_that_exist(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    web.answers += [CREATED, signal.SIGINT]
    monkeypatch.setattr("sys.stdin", io.StringIO('{"x": 1}' * 1_001))
    assert program.main(["create", "demo.noop", "--json", "-"]) == 130
    assert capsys.readouterr().out == "7\n"
    assert len(web.asked) == 2


@pytest.mark.usefixtures("shell")
def test_ctrl_c_amid_many_prints_those_that_exist_as_json_where_asked(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    web.answers += [{"data": {"createTasks": {"tasks": [LISTED], "userErrors": []}}}, signal.SIGINT]
    monkeypatch.setattr("sys.stdin", io.StringIO('{"x": 1}' * 1_001))
    assert program.main(["create", "--json", "demo.noop", "--json", "-"]) == 130
    assert json.loads(capsys.readouterr().out)["number"] == 7


@pytest.mark.usefixtures("shell")
def test_top_for_programs_goes_on_when_the_server_is_back(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    counts = dict.fromkeys(("queueing", "running", "finished", "failed", "cancelled"), 0)
    lists = {"queues": [], "workers": [], "running": {"nodes": []}, "failed": {"nodes": []}}
    told = {"data": {"taskCounts": {**counts, "exact": True}, **lists}}
    web.answers += [told, 500, 500, 500, 500, 500, told, signal.SIGINT]
    assert program.main(["top", "--json", "--every", "0.1"]) == 0
    said = capsys.readouterr()
    assert [json.loads(line)["counts"] for line in said.out.splitlines()] == [{**counts, "exact": True}] * 2
    assert "HTTP 500" in said.err


@pytest.mark.usefixtures("shell")
def test_there_is_no_task_0(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["wait", "0"])
    assert "must be a whole number from 1 to 9223372036854775807 (got '0')" in capsys.readouterr().err
    assert web.asked == []


@pytest.mark.parametrize("act", [Task.cancel, Task.retry, Task.delete])
@pytest.mark.parametrize("answer", ["", 503])
def test_an_act_is_sent_once(client: Client, web: Web, act: Callable[[Task], object], answer: object) -> None:
    web.answers += [answer, {"data": {}}]
    with pytest.raises(millrace.Unreachable):
        act(Task(client._transport, ROW))
    assert len(web.asked) == 1


def test_a_connection_is_kept_and_one_that_the_server_has_closed_is_not_used_again(client: Client, web: Web) -> None:
    web.answers += [QUEUES, QUEUES, QUEUES, "closed"]
    for _ in range(3):
        client.queues()
    assert web.connections == 1
    connection = client._transport._mine.connection
    eventually(lambda: transport._was_closed(connection))
    web.answers += [{"data": {"cancelTask": {"task": ROW, "userErrors": []}}}]
    Task(client._transport, ROW).cancel()
    assert (web.connections, len(web.asked)) == (2, 4)


def test_a_connection_is_kept_by_a_program_that_has_many_files_open(client: Client, web: Web) -> None:
    web.answers += [QUEUES] * 3
    client.queues()
    connection = client._transport._mine.connection
    with connection.sock as first:
        connection.sock = socket.socket(fileno=fcntl.fcntl(first, fcntl.F_DUPFD_CLOEXEC, 1_024))
    connection.sock.settimeout(30)
    client.queues()
    assert web.connections == 1
    connection.sock.close()  # by somebody who closes all there are
    client.queues()
    assert web.connections == 2


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("answer", "status"),
    [({"no": "data"}, 200), ({"errors": "no"}, 200), ([], 200), (b"<html>", 200), (301, 301), (404, 404)],
)
def test_what_is_not_millrace_is_told_at_once(
    web: Web, capsys: pytest.CaptureFixture[str], answer: object, status: int
) -> None:
    web.answers += [answer, QUEUES]
    assert program.main(["queues"]) == 2
    said = f"error: {web.url} does not answer as Millrace does (HTTP {status}): check MILLRACE_URL\n"
    assert capsys.readouterr() == ("", said)
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (500, millrace.Unreachable, "does not answer as it should (HTTP 500)"),
        (503, millrace.Unreachable, "is not available now (HTTP 503)"),
        (
            {"errors": [{"message": "the log has the details under ab12", "extensions": {"code": "INTERNAL"}}]},
            millrace.ServerFault,
            "under ab12",
        ),
        ({"errors": [{"message": "wait", "extensions": {"code": "UNAVAILABLE"}}]}, millrace.Unreachable, "wait"),
        ({"errors": [{"message": "old", "extensions": {"code": "CURSOR_EXPIRED"}}]}, millrace.Refused, "old"),
    ],
)
def test_what_is_no_answer_is_an_error_of_ours(web: Web, answer: object, error: type[Exception], said: str) -> None:
    web.answers += [answer]
    with pytest.raises(error) as raised:
        Client(web.url, "t", patience=0).queues()
    assert said in str(raised.value)
    assert len(web.asked) == 1


def test_a_server_that_is_not_there_is_told_after_the_patience(web: Web) -> None:
    web.server.socket.close()
    with pytest.raises(millrace.Unreachable, match=r"^http://127.0.0.1:\d+ cannot be reached: connection refused$"):
        Client(web.url, "t", patience=0.3).queues()


def test_a_file_that_arrives_damaged_is_not_kept_and_its_name_leads_nowhere_else(
    client: Client, web: Web, tmp_path: Path
) -> None:
    damaged = millrace.Artifact(client._transport, ARTIFACT)
    with pytest.raises(millrace.Unreachable, match="damaged"):
        damaged.save(tmp_path)
    assert list(tmp_path.iterdir()) == []
    sound = hashlib.sha256(b"a,b").hexdigest()
    saved = millrace.Artifact(client._transport, {**ARTIFACT, "sha256": sound}).save(tmp_path)
    assert saved.parent == tmp_path
    assert saved.read_bytes() == b"a,b"


def test_output_that_begins_anew_or_lacks_something_is_told(client: Client, web: Web) -> None:
    def output(status: str, number: int, total: int, *pieces: tuple[int, str]) -> dict[str, Any]:
        texts = [
            {"position": at, "bytes": len(text), "texts": [{"stream": "STDOUT", "text": text}]} for at, text in pieces
        ]
        printed = {"pieces": texts, "totalBytes": total, "leftOutBytes": 0}
        attempt = {"number": number, "status": status, "output": printed}
        return {"data": {"task": {"status": status, "attempt": attempt}}}

    web.answers += [
        output("RUNNING", 1, 2, (0, "ab")),
        output("RUNNING", 1, 1),  # run by another worker: less than is known
        output("RUNNING", 1, 1, (0, "c")),
        output("RUNNING", 2, 0),
        output("RUNNING", 2, 9, (0, "d"), (5, "efgh")),
        *[output("FINISHED", 2, 9)] * 3,
    ]
    told = [(p.text, p.attempt, p.begins_anew, p.left_out) for p in Task(client._transport, ROW).follow()]
    assert told == [
        ("ab", 1, False, 0),
        ("c", 1, True, 0),
        ("d", 2, True, 0),
        ("efgh", 2, False, 4),
    ]
    assert [each["variables"]["after"] for each in web.asked] == [0, 2, 0, 1, 0, 9, 9, 9]
