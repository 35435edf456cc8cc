"""What a trivial task costs, in the sandbox and as a handler, and what the sandbox's idle template holds in memory.

    PYTHONPATH=.:site .venv/bin/python -m tests.benchmarks.sandbox

*warm*: from handing the task to a child that waits for it, as in a worker's slot, to its answer; the task's own time is
left out. *fork*: what it takes to get the next such child ready, between two tasks. *back to back*: a task's share of
the time that many take one after the other in the one slot of a whole worker, from the queue to the outcome's queue.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.bench import percentile
from tests.fixtures.broker import Broker
from tests.workers.fixtures import started
from tests.workers.rig import Rabbit, Web, children_of, ready, serving, task
from tests.workers.sandbox.harness import Sandbox
from workers.sandbox.limits import Limits
from workers.sandbox.probe import find_bubblewrap, probe

TASKS = 200
HANDLERS = "workers.handlers.demo,workers.sandbox"
BACK_TO_BACK: dict[str, tuple[int, dict[str, Any]]] = {
    "code.python": (400, {"code": "6 * 7"}),
    "demo.noop": (8_000, {}),
}


def main() -> None:
    told = report.Report("sandbox", report.parser(__doc__).parse_args())
    found = probe(Limits(), find_bubblewrap())
    print(f"level {found.level}", *found.missing)
    if not found.plan:
        return
    sandbox = Sandbox(found.plan, found.bubblewrap)
    held = {pid: _held_mb(pid) for pid in (sandbox.process.pid, *children_of(sandbox.process.pid))}
    runs = [_run(sandbox) for _ in range(TASKS)]
    told.table("ms", "what", "p50", "p95", "best")
    for name, times in zip(("fork", "warm"), zip(*runs, strict=True), strict=True):
        each = list(times)
        told.row(name, statistics.median(each), percentile(each, 95), min(each))
    told.table("memory of the idle template", "process", "RSS MB")
    for pid, size in held.items():
        told.row(str(pid), size)
    sandbox.close()
    with tempfile.TemporaryDirectory(prefix="millrace-benchmark-") as folder:
        broker = Broker(Path(folder))
        broker.start()
        try:
            _back_to_back(told, broker)
        finally:
            broker.stop()
    told.save()


def _back_to_back(told: report.Report, broker: Broker) -> None:
    told.table("back to back", "kind", "ms a task")
    rabbit = Rabbit(broker)
    rabbit.make_queues()
    with serving(Web()) as web:
        given = {"MILLRACE_URL": web.url, "MILLRACE_HANDLERS": HANDLERS}
        with started(broker, "workers", "--concurrency", "1", **given) as process:
            ready(process)
            for kind, (count, params) in BACK_TO_BACK.items():
                seen = len(rabbit.outcomes(0))
                rabbit.put(task(1_000_000, kind, **params))  # wakes what is made when it is wanted
                rabbit.outcomes(seen + 1)
                began = time.perf_counter()
                rabbit.put(*[task(number, kind, **params) for number in range(1, count + 1)])
                rabbit.outcomes(seen + 1 + count, timeout_seconds=120)
                told.row(kind, (time.perf_counter() - began) / count * 1000)
            process.stop()


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
