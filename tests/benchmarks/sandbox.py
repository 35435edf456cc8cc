"""What the sandbox costs a trivial task, and what its idle template holds in memory.

    PYTHONPATH=.:site .venv/bin/python -m tests.benchmarks.sandbox

*warm*: from handing the task to a child that waits for it, as in a worker's slot, to its answer; the task's own time is
left out. *fork*: what it takes to get the next such child ready, between two tasks.
"""

import os
import statistics
import time
from pathlib import Path

from tests.benchmarks.bench import percentile
from tests.workers.rig import children_of
from tests.workers.sandbox.harness import Sandbox
from workers.sandbox.limits import Limits
from workers.sandbox.probe import find_bubblewrap, probe

TASKS = 200


def main() -> None:
    found = probe(Limits(), find_bubblewrap())
    print(f"level {found.level}; load {os.getloadavg()[0]:.1f}", *found.missing)
    if not found.plan:
        return
    sandbox = Sandbox(found.plan, found.bubblewrap)
    held = {pid: _held_mb(pid) for pid in (sandbox.process.pid, *children_of(sandbox.process.pid))}
    runs = [_run(sandbox) for _ in range(TASKS)]
    for name, times in zip(("fork", "warm"), zip(*runs, strict=True), strict=True):
        each = list(times)
        p50, p95 = statistics.median(each), percentile(each, 95)
        print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, best {min(each):.1f} ms")
    print("memory of the idle template (RSS): " + " + ".join(f"{size:.0f}" for size in held.values()) + " MB")
    sandbox.close()


def _run(sandbox: Sandbox) -> tuple[float, float]:
    """Milliseconds."""
    began = time.perf_counter()
    with sandbox.child() as child:
        forked = time.perf_counter()
        child.post("6 * 7")
        answered = child.answered()
        return (forked - began) * 1000, (answered - forked) * 1000


def _held_mb(pid: int) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
