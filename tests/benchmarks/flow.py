"""How fast tasks flow, how soon they are done, and what it costs: `python -m tests.benchmarks.flow`.

    PYTHONPATH=.:site .venv/bin/python -m tests.benchmarks.flow --database postgresql --slots 2 4 --json flow.json

Starts a stack of its own for each number of slots (of one worker, or of `--workers`, which share them) and runs
`demo.noop` with full guarantees. Throughput: from the first create call to the last outcome in the database, created
by `createTasks`, 1,000 a call, and one by one by `createTask` from a single caller. Latency: from a `createTask` call
on an idle system until the row says FINISHED. CPU by process, of the kernel's own count; idle with one table open;
memory as PSS.
"""

import argparse
import threading
import time
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from tests.benchmarks import report, usage
from tests.benchmarks.bench import (
    Ask,
    create_many,
    create_one_by_one,
    latency,
    median,
    percentile,
    rate,
    running,
)
from tests.benchmarks.polls import Table, signed_in

WAYS = {"createTasks": create_many, "createTask": create_one_by_one}
MICRO = 1_000_000


@dataclass
class Measured:
    """Of one number of slots. `cpu`: microseconds a task, by way and role."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    cpu: dict[str, list[dict[str, float]]] = field(default_factory=lambda: {way: [] for way in WAYS})
    latencies: list[float] = field(default_factory=list)
    idle: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--slots", type=int, nargs="+", default=[2])
    parser.add_argument("--workers", type=int, default=1, help="processes, which share the slots")
    parser.add_argument("--tasks", type=int, default=8_000, help="in a round, created by createTasks")
    parser.add_argument("--singles", type=int, default=1_000, help="in a round, created one by one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=200, help="of the latency")
    parser.add_argument("--idle-seconds", type=float, default=10)
    options = parser.parse_args()
    _tell(options, {slots: _measured(options, slots) for slots in options.slots})


def _measured(options: argparse.Namespace, slots: int) -> Measured:
    found = Measured()
    with running(options.database, options.workers, concurrency=slots // options.workers) as (stack, ask):
        roles = usage.roles_of(stack, options.database)
        rate(ask, 2_000, lambda: create_many(stack, 2_000))  # warms up
        found.idle = _idle(stack, roles, options.idle_seconds)
        found.latencies = [latency(stack, ask) for _ in range(options.samples)]
        for _ in range(options.rounds):
            for way, count in zip(WAYS, (options.tasks, options.singles), strict=True):
                _round(found, way, count, stack=stack, ask=ask, roles=roles)
        found.memory = usage.pss_megabytes(roles)
    return found


def _round(found: Measured, way: str, count: int, *, stack: Any, ask: Ask, roles: usage.Roles) -> None:
    before = usage.cpu_seconds(roles)
    found.rates[way].append(rate(ask, count, lambda: WAYS[way](stack, count)))
    used = usage.since(before, roles)
    found.cpu[way].append({role: seconds / count * MICRO for role, seconds in used.items()})


def _idle(stack: Any, roles: usage.Roles, seconds: float) -> dict[str, float]:
    """Percent of one core, by role, with one table open."""
    table = Table(stack.port, signed_in(stack))
    time.sleep(2)
    before, end = usage.cpu_seconds(roles), time.monotonic() + seconds
    polling = threading.Thread(target=_poll, args=(table, end))
    polling.start()
    polling.join()
    return {role: used / seconds * 100 for role, used in usage.since(before, roles).items()}


def _poll(table: Table, end: float) -> None:
    """In the rhythm that the page asks for."""
    while time.monotonic() < end:
        time.sleep(min(table.rhythm_seconds, max(0.0, end - time.monotonic())))
        table.poll()


def _tell(options: argparse.Namespace, found: dict[int, Measured]) -> None:
    told = report.Report("flow", options)
    roles = [*usage.OURS, "broker", *(["postgresql"] if options.database == "postgresql" else [])]
    told.table(
        f"demo.noop on {options.database}: tasks a second (median, all rounds); idle latency in ms",
        "slots", "createTasks", "all", "createTask", "all", "p50", "p99",
    )  # fmt: skip
    for slots, each in found.items():
        flows = [cell for rates in each.rates.values() for cell in (median(rates), _listed(rates))]
        told.row(str(slots), *flows, median(each.latencies), percentile(each.latencies, 99))
    told.table("CPU, microseconds a task", "slots, created by", *roles, "ours")
    for slots, each in found.items():
        for way, rounds in each.cpu.items():
            used = {role: mean(one[role] for one in rounds) for role in roles}
            told.row(f"{slots}, {way}", *used.values(), usage.ours(used))
    told.table("Idle with one table open, percent of one core; memory in MB (PSS)", "slots, what", *roles, "ours")
    for slots, each in found.items():
        for what, by_role in (("idle CPU", each.idle), ("memory", each.memory)):
            told.row(f"{slots}, {what}", *(by_role[role] for role in roles), usage.ours(by_role))
    told.save()


def _listed(rates: list[float]) -> str:
    return " ".join(f"{each:,.0f}" for each in rates)


if __name__ == "__main__":
    main()
