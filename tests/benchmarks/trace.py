"""Where the milliseconds of one task on an idle system go: `python -m tests.benchmarks.trace [--database postgresql]`.

Follows tasks from a `createTask` call to the row that says FINISHED through all processes, which note when they come by
the points of `tests/benchmarks/tracing`. Prints the medians of the stages, one after the other.
"""

import os
import tempfile
import time
from bisect import bisect_left
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.bench import create_many, latency, median, rate, running

# What has been reached -> what it took until then.
STAGES = {
    "request": "the request reaches the web",
    "checked in": "token, document, variables",
    "saved": "checked, saved, committed",
    "read": "the relay hears of it and reads what is due",
    "delivered": "RabbitMQ has it on disk and delivers it",
    "begun": "the worker hands it to a child",
    "ran": "the child runs it",
    "told": "the worker hears the answer and publishes it",
    "heard": "RabbitMQ has the outcome on disk and delivers it",
    "recording": "the sink posts it; token, document, variables",
    "recorded": "the web records it, committed",
    "end": "it is read from the database",
}


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millrace-trace-") as folder:
        os.environ["BENCHMARK_TRACE"] = folder
        os.environ["PYTHONPATH"] = str(Path(__file__).with_name("tracing"))
        with running(options.database, 2) as (stack, ask):
            rate(ask, 2_000, lambda: create_many(stack, 2_000))
            time.sleep(2)
            runs = []
            for _ in range(options.samples):
                took = latency(stack, ask)
                ended = time.monotonic_ns()
                runs.append((ended - int(took * 1e6), ended))
        seen = _seen(Path(folder))
    _tell(report.Report("trace", options), [_stages(seen, *run) for run in runs], options.database)


def _seen(folder: Path) -> dict[str, list[int]]:
    """When each point was passed, by label."""
    found: dict[str, list[int]] = {}
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            at, label = line.split(" ", 1)
            found.setdefault(label, []).append(int(at))
    return {label: sorted(times) for label, times in found.items()}


def _stages(seen: dict[str, list[int]], began: int, ended: int) -> dict[str, float]:
    """Milliseconds by stage: each point is the first of its label after the one before it."""
    found, at = {}, began
    for label in STAGES:
        times = seen.get(label, [])
        place = bisect_left(times, at)
        reached = ended if label == "end" or place == len(times) else min(times[place], ended)
        found[label], at = (reached - at) / 1e6, reached
    return found


def _tell(told: report.Report, runs: list[dict[str, float]], database: str) -> None:
    told.table(f"One task on idle {database}: ms, medians of {len(runs)}", "stage", "took", "until then")
    until = 0.0
    for label, said in STAGES.items():
        took = median([run[label] for run in runs])
        until += took
        told.row(said, took, until)
    told.save()


if __name__ == "__main__":
    main()
