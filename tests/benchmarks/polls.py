"""What open tables cost the web: `python -m tests.benchmarks.polls [--database postgresql]`.

Starts a stack of its own with a page of tasks. Prints what one poll takes, request to answer over one connection, and
how much it brings as a browser takes it: nothing changed, three rows changed. Then 200 tables poll as often as a page
on which something moves does, at first while nothing happens and then while a task is created, run and recorded each
second: how many polls a second are answered, and how much of one core all processes of the web use for it.
"""

import re
import threading
import time
from typing import Any

import urllib3

from tests.benchmarks import report, usage
from tests.benchmarks.bench import CREATE_MANY, CREATE_ONE, median, percentile, running
from tests.benchmarks.poll import of_live
from tests.fixtures.processes import eventually

POLLS = 500
CHANGES = 15
TABLES = 200
THREADS = 4
RHYTHM_SECONDS = 0.5
SECONDS = 15
CANCEL = "mutation($input: BulkTasksInput!) { bulkTasks(input: $input) { affectedCount } }"
RUNNING = "{ taskCounts { running } }"
NUMBERS = "{ tasks(first: 60) { nodes { number } } }"


class Table:
    """One open table of a signed-in browser."""

    def __init__(self, port: int, cookies: str) -> None:
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1)
        self._headers = {"Cookie": cookies, "Accept-Encoding": "gzip"}
        html = self._pool.request("GET", "/tasks/", headers=self._headers).data.decode()
        self._address, tag, trigger = (of_live(html, name) for name in ("hx-get", "hx-ptag", "hx-trigger"))
        rhythm = re.match(r"every ([0-9.]+)(m?)s", trigger)
        assert rhythm, trigger
        self.rhythm_seconds = float(rhythm[1]) / (1000 if rhythm[2] else 1)
        self._headers |= {"HX-Request": "true", "HX-PTag": tag}

    def poll(self) -> tuple[float, int, int]:
        """Milliseconds, status, bytes of the body on the wire."""
        started = time.perf_counter()
        answer = self._pool.request("GET", self._address, headers=self._headers, decode_content=False)
        took = (time.perf_counter() - started) * 1000
        assert answer.status in (200, 304), answer.status
        self._headers["HX-PTag"] = answer.headers.get("HX-PTag", self._headers["HX-PTag"])
        return took, answer.status, len(answer.data)


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    told = report.Report("polls", options)
    with running(options.database, workers=2) as (stack, _):
        busy = {"kind": "demo.coin", "params": {"seconds": 600, "failure_rate": 0}, "name": "long"}
        waiting = [{"name": f"n{n}", "kind": "demo.noop", "params": {"x": n}} for n in range(58)]
        stack.call(CREATE_MANY, input=[busy, busy, *waiting])
        eventually(lambda: stack.call(RUNNING)["taskCounts"]["running"] == 2)  # from now on nothing moves
        cookies = signed_in(stack)
        _one(told, stack, Table(stack.port, cookies))
        told.table(f"{TABLES} tables", "meanwhile", "polls/s", "with changes", "p50 ms", "p99 ms", "cores")
        tables = [Table(stack.port, cookies) for _ in range(TABLES)]
        told.row("nothing happens", *_many(stack, tables, lambda: None))
        told.row("one task a second", *_many(stack, tables, lambda: _run_one(stack)))
    told.save()


def _one(told: report.Report, stack: Any, table: Table) -> None:
    told.table("One poll", "what has changed", "p50 ms", "p99 ms", "bytes")
    table.poll()
    took, statuses, sizes = zip(*(table.poll() for _ in range(POLLS)), strict=True)
    assert (set(statuses), set(sizes)) == ({304}, {0})
    told.row("nothing", median(list(took)), percentile(list(took), 99), 0)
    numbers = [row["number"] for row in stack.call(NUMBERS)["tasks"]["nodes"]]  # the long ones come last
    changed = []
    for _ in range(CHANGES):
        three, numbers = numbers[:3], numbers[3:]
        asked = {"action": "CANCEL", "ids": three}
        assert stack.call(CANCEL, input=asked)["bulkTasks"]["affectedCount"] == 3
        changed.append(table.poll())
    stack.call(CANCEL, input={"action": "CANCEL", "ids": numbers})
    took, statuses, sizes = zip(*changed, strict=True)
    assert set(statuses) == {200}
    told.row("three rows", median(list(took)), max(took), max(sizes))


def _many(stack: Any, tables: list[Table], each_second: Any) -> tuple[float, float, float, float, float]:
    """Polls a second, the share of those with changes, milliseconds, cores that the web uses."""
    answered: list[list[tuple[float, int, int]]] = [[] for _ in range(THREADS)]
    end = time.monotonic() + SECONDS
    web = {"web": stack.pids("web")}
    before, began = usage.cpu_seconds(web), time.monotonic()
    threads = [
        threading.Thread(target=_poll_in_turn, args=(tables[nth::THREADS], end, answered[nth]))
        for nth in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        each_second()
        time.sleep(1)
    for thread in threads:
        thread.join()
    passed = time.monotonic() - began
    share, polls = usage.since(before, web)["web"] / passed, [poll for some in answered for poll in some]
    took, changed = [poll[0] for poll in polls], sum(poll[1] == 200 for poll in polls)
    return len(polls) / passed, changed / len(polls), median(took), percentile(took, 99), share


def _poll_in_turn(tables: list[Table], end: float, answered: list[tuple[float, int, int]]) -> None:
    gap, due = RHYTHM_SECONDS / len(tables), time.monotonic()
    while due < end:
        for table in tables:
            time.sleep(max(0.0, due - time.monotonic()))
            answered.append(table.poll())
            due = max(due + gap, time.monotonic() - RHYTHM_SECONDS)


def _run_one(stack: Any) -> None:
    stack.call(CREATE_ONE, input={"name": "one", "kind": "demo.noop", "params": {"x": 1}})


def signed_in(stack: Any) -> str:
    answer = urllib3.request("GET", stack.link, redirect=False)
    return "; ".join(cookie.partition(";")[0] for cookie in answer.headers.getlist("Set-Cookie"))


if __name__ == "__main__":
    main()
