"""How fast tasks flow: `python -m tests.benchmarks.flow [--tasks N] [--workers N] [--database postgresql]`.

Starts a stack of its own and prints, for `demo.noop` with full guarantees: tasks a second from the first create call to
the last outcome in the database (created by `createTasks`, 1,000 a call), and the time from a `createTask` call on an
idle system until the row says FINISHED, read from the database every half millisecond.
"""

import argparse
import os
import random
import statistics
import time
from typing import Any

from tests.benchmarks.bench import CREATE_MANY, CREATE_ONE, Ask, percentile, running

UNFINISHED = "SELECT count(*) FROM tasks_task WHERE status IN ('QUEUEING', 'RUNNING')"
LATENCY_SAMPLES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with running(options.database, options.workers) as (stack, ask):
        _throughput(stack, ask, 2_000)  # warms up
        latencies = [_latency(stack, ask) for _ in range(LATENCY_SAMPLES)]
        rates = [_throughput(stack, ask, options.tasks) for _ in range(3)]
    print(f"{options.database}, {options.workers} workers of 1 slot, load {os.getloadavg()[0]:.1f} at the end")
    print(f"end to end: {statistics.median(rates):,.0f} tasks/s (runs: {', '.join(f'{rate:,.0f}' for rate in rates)})")
    p50, p99 = statistics.median(latencies), percentile(latencies, 99)
    print(f"create to FINISHED, idle: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def _latency(stack: Any, ask: Ask) -> float:
    """Milliseconds; the pause before it is random, so that it does not lock on to anybody's rhythm."""
    time.sleep(random.uniform(0.04, 0.08))
    started = time.perf_counter()
    created = stack.call(CREATE_ONE, input={"name": "latency", "kind": "demo.noop", "params": {"x": 1}})
    question = f"SELECT status FROM tasks_task WHERE id = {created['createTask']['task']['number']}"
    while ask(question) != "FINISHED":
        time.sleep(0.0005)
    return (time.perf_counter() - started) * 1000


def _throughput(stack: Any, ask: Ask, count: int) -> float:
    """Tasks a second, from the first create call to the last outcome in the database."""
    started = time.perf_counter()
    for first in range(0, count, 1000):
        tasks = [
            {"name": f"n{n}", "kind": "demo.noop", "params": {"x": n}} for n in range(first, min(first + 1000, count))
        ]
        assert stack.call(CREATE_MANY, input=tasks)["createTasks"]["userErrors"] == []
    while ask(UNFINISHED):
        time.sleep(0.01)
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
