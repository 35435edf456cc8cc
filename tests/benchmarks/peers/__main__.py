"""Millrace beside its peers, on the same work and machine: `python -m tests.benchmarks.peers`.

    PYTHONPATH=.:site .venv/bin/python -m tests.benchmarks.peers --rounds 5 --json peers.json   # --only all: every one

In each round every one in turn is started, measured and stopped again; figures are medians over the rounds. Throughput:
from the first create call of one producer to the last outcome stored where a user could query it. CPU of Millrace's
workers is that of bin/dev with all it starts, its broker too; what the peers share are `servers`. Beside the latencies
stands what the same piece of Python takes when nobody works: how quiet the machine is. The peers' packages go into a
virtual environment of their own, `.cache/peers`; Redis is the system's.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.bench import median, percentile
from tests.benchmarks.peers import servers
from tests.benchmarks.peers.contest import WAYS, Contender, Result, contenders, run
from tests.benchmarks.peers.environment import ensure

SERVERS = ("rabbitmq", "redis", "postgresql")
PLACES = (("workers", "producer", *SERVERS), ("workers",), ("producer",), SERVERS)
PIECE = 100_000
FIRST = ("celery:late", "dramatiq:confirms")  # what is told as a ratio


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument(
        "--only", default="celery:late,dramatiq:confirms,millrace", help="names, or name:setting; or all"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--tasks", type=int, help="in a round, one by one; of many at once five times as many")
    parser.add_argument("--samples", type=int, default=40, help="of the latency, in a round")
    options = parser.parse_args()
    os.environ["MILLRACE_TEST_DATABASE"] = "postgresql"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    ensure()
    chosen = contenders(options.only)
    found: dict[Contender, list[Result]] = {each: [] for each in chosen}
    nobody: list[float] = []
    with tempfile.TemporaryDirectory(prefix="peers-") as folder, servers.running(Path(folder)) as (addresses, pids):
        for number in range(options.rounds):
            for each in chosen:
                place = Path(folder, f"{each.adapter}-{number}")
                place.mkdir(exist_ok=True)
                found[each].append(run(each, options, place, addresses, pids))
                print(f"round {number + 1}: {each.name}: {found[each][-1].line()}", flush=True)
            nobody += [_piece() for _ in range(options.samples)]
    _tell(options, found, nobody)


def _piece() -> float:
    """Milliseconds of the same piece of Python, a while after the one before."""
    time.sleep(random.uniform(0.04, 0.08))
    began = time.perf_counter()
    sum(number * number for number in range(PIECE))
    return (time.perf_counter() - began) * 1000


def _tell(options: argparse.Namespace, found: dict[Contender, list[Result]], nobody: list[float]) -> None:
    told = report.Report("peers", options)
    rates = {each.name: {way: _median(results, way) for way in WAYS} for each, results in found.items()}
    ratios = [name for name in FIRST if name in rates]
    for way in WAYS:
        told.table(
            f"{way}, {options.slots} slots: tasks a second (median, each round), CPU in microseconds a task",
            *("peer", "tasks/s", "rounds", *(f"x {name}" for name in ratios)),
            *("us/task", "workers", "producer", "servers", "gives up"),
        )  # fmt: skip
        for each, results in found.items():
            rate, each_round = rates[each.name][way], [result.rates[way] for result in results if way in result.rates]
            if rate:
                ours = [rate / other if (other := rates[name][way]) else None for name in ratios]
                cpu = [_cpu(results, way, roles) for roles in PLACES]
                listed = " ".join(f"{one:,.0f}" for one in each_round)
                told.row(each.name, rate, listed, *ours, *cpu, each.gives_up)
    told.table("Idle: create to outcome readable, ms", "peer", "p50", "p99", "x p50", "samples")
    by_peer = {each.name: [one for result in results for one in result.latencies] for each, results in found.items()}
    for name, took in {**by_peer, "a piece of Python, alone": nobody}.items():
        if took:
            half, most = median(took), percentile(took, 99)
            told.row(name, half, most, most / half, len(took))
    told.save()


def _cpu(results: Sequence[Result], way: str, roles: Sequence[str]) -> float:
    return median([sum(result.cpu[way][role] for role in roles) for result in results if way in result.cpu])


def _median(results: Sequence[Result], way: str) -> float | None:
    rates = [result.rates[way] for result in results if way in result.rates]
    return median(rates) if rates else None


if __name__ == "__main__":
    main()
