"""What a request with an API token costs over its query: `python -m tests.benchmarks.token [--database postgresql]`.

Starts a stack of its own. Each document is asked over HTTP with a token, over one connection to gunicorn, and executed
in a process of Django's that does nothing else, in turns of one, so that whatever else the machine does meets both and
neither has its code and data at hand from the time before. What lies between the two is the cost: HTTP, every
middleware, the token's look-up, reading and writing JSON. Beside it stands /healthz, which passes the same middlewares
and asks nothing. The client is a bare socket, for what a client does with its answer is no cost of the server's. Told
are the medians, and the 10th of 100, which is the better witness on a machine that has other things to do.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from tests.benchmarks.bench import CREATE_MANY, percentile, running
from tests.fixtures.processes import ROOT

WARMING, TURNS = 100, 1_000
QUERIES = {
    "who asks": "{ viewer { username } }",
    "a task": "{ task(number: 1) { number name status value statusText kind { name } } }",
    "20 tasks": "{ tasks(first: 20) { nodes { number name status value createdAt queue { name } } } }",
}
# In the stack's own environment: each line is a document, answered with what its execution took.
DIRECT = """
import json, sys, time
from django.contrib.auth.models import User
from apps.accounts.permissions import Caller
from apps.api.context import Context
from config.graphql import _execute
caller = Caller.of_session(User.objects.get(username="admin"))
for line in sys.stdin:
    started = time.perf_counter()
    _execute(Context(caller), json.loads(line), dict(), None)
    print((time.perf_counter() - started) * 1000, flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with running(options.database, workers=1) as (stack, _):
        stack.call(CREATE_MANY, input=[{"name": f"n{n}", "kind": "demo.noop", "params": {"x": n}} for n in range(50)])
        time.sleep(2)  # they have run
        token = stack.manage("token", "create", "--user", "admin", "--scope", "tasks:read")
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", DIRECT]
        pipe = subprocess.PIPE
        with (
            subprocess.Popen(command, cwd=ROOT, env=stack._environment(), stdin=pipe, stdout=pipe, text=True) as direct,
            socket.create_connection(("127.0.0.1", stack.port)) as web,
        ):
            for name, query in QUERIES.items():
                _compare(
                    name,
                    lambda: _asked(web, _question(token, query)),  # noqa: B023 asked at once
                    lambda: _executed(direct, query),  # noqa: B023
                    lambda: _asked(web, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
                )
            assert direct.stdin
            direct.stdin.close()
    print(f"{options.database}, load {os.getloadavg()[0]:.1f} at the end")


def _question(token: str, query: str) -> bytes:
    body = json.dumps({"query": query})
    headers = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n\r\n{body}".encode()


def _compare(name: str, *ways: Callable[[], float]) -> None:
    turns = [[way() for way in ways] for _ in range(WARMING + TURNS)][WARMING:]
    for percent in (50, 10):
        whole, alone, nothing = (percentile(list(took), percent) for took in zip(*turns, strict=True))
        print(
            f"{name}, p{percent}: {whole:.2f} ms, by itself {alone:.2f}: {whole - alone:.2f} ms over the query"
            f" (a request that asks nothing: {nothing:.2f})"
        )


def _executed(direct: "subprocess.Popen[str]", query: str) -> float:
    assert direct.stdin
    assert direct.stdout
    direct.stdin.write(f"{json.dumps(query)}\n")
    direct.stdin.flush()
    return float(direct.stdout.readline())


def _asked(web: socket.socket, request: bytes) -> float:
    """Milliseconds from the request to the last byte of its answer."""
    started = time.perf_counter()
    web.sendall(request)
    answer = web.recv(65_536)
    while not _is_whole(answer):
        more = web.recv(65_536)
        assert more, "the web has closed the connection"
        answer += more
    took = (time.perf_counter() - started) * 1000
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert b'"errors"' not in answer, answer
    return took


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) == int(lengths[0].split(b":")[1])


if __name__ == "__main__":
    main()
