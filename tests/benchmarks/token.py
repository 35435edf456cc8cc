"""What a request with an API token costs over its query: `python -m tests.benchmarks.token [--database postgresql]`.

Starts a stack of its own. Each document is asked over HTTP with a token, one request after the other over one
connection to gunicorn, and executed in a process of Django's that does nothing else, in turns of 50, so that whatever
else the machine does meets both. What lies between the two is the cost: HTTP, every middleware, the token's look-up,
reading and writing JSON. Beside it stands /healthz, which passes the same middlewares and asks nothing. Told are the
medians, and the 10th of 100, which is the better witness on a machine that has other things to do.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import urllib3

from tests.benchmarks.bench import CREATE_MANY, percentile, running
from tests.fixtures.processes import ROOT

TURNS, IN_A_TURN = 20, 50
QUERIES = {
    "who asks": "{ viewer { username } }",
    "a task": "{ task(number: 1) { number name status value statusText kind { name } } }",
    "20 tasks": "{ tasks(first: 20) { nodes { number name status value createdAt queue { name } } } }",
}
# In the stack's own environment: each line is a document, answered with what its executions took.
DIRECT = f"""
import json, sys, time
from django.contrib.auth.models import User
from apps.accounts.permissions import Caller
from apps.api.context import Context
from config.graphql import _execute
caller = Caller.of_session(User.objects.get(username="admin"))
for line in sys.stdin:
    took = []
    for _ in range({IN_A_TURN}):
        started = time.perf_counter()
        _execute(Context(caller), json.loads(line), dict(), None)
        took.append((time.perf_counter() - started) * 1000)
    print(json.dumps(took), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with running(options.database, workers=1) as (stack, _):
        stack.call(CREATE_MANY, input=[{"name": f"n{n}", "kind": "demo.noop", "params": {"x": n}} for n in range(50)])
        time.sleep(2)  # they have run
        token = stack.manage("token", "create", "--user", "admin", "--scope", "tasks:read")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        pool = urllib3.HTTPConnectionPool("127.0.0.1", stack.port, maxsize=1)
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", DIRECT]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=ROOT, env=stack._environment(), stdin=pipe, stdout=pipe, text=True
        ) as direct:
            for name, query in QUERIES.items():
                body = json.dumps({"query": query})
                _compare(
                    name,
                    lambda: _asked(pool, "POST", "/graphql/", body=body, headers=headers),  # noqa: B023 asked at once
                    lambda: _executed(direct, query),  # noqa: B023
                    lambda: _asked(pool, "GET", "/healthz"),
                )
            assert direct.stdin
            direct.stdin.close()
    print(f"{options.database}, load {os.getloadavg()[0]:.1f} at the end")


def _compare(name: str, *ways: Callable[[], list[float]]) -> None:
    found: list[list[float]] = [[] for _ in ways]
    for turn in range(TURNS + 1):
        for took, way in zip(found, ways, strict=True):
            took.extend(way()[: IN_A_TURN if turn else 0])  # the first warms up
    for percent in (50, 10):
        whole, alone, nothing = (percentile(took, percent) for took in found)
        print(
            f"{name}, p{percent}: {whole:.2f} ms, by itself {alone:.2f}: {whole - alone:.2f} ms over the query"
            f" (a request that asks nothing: {nothing:.2f})"
        )


def _executed(direct: "subprocess.Popen[str]", query: str) -> list[float]:
    assert direct.stdin
    assert direct.stdout
    direct.stdin.write(f"{json.dumps(query)}\n")
    direct.stdin.flush()
    took: list[float] = json.loads(direct.stdout.readline())
    return took


def _asked(pool: urllib3.HTTPConnectionPool, method: str, path: str, **more: Any) -> list[float]:
    took = []
    for _ in range(IN_A_TURN):
        started = time.perf_counter()
        answer = pool.request(method, path, **more)
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, answer.data
    return took


if __name__ == "__main__":
    main()
