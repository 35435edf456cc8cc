"""What more processes bring, and what a deep queue costs: `python -m tests.benchmarks.scale --database postgresql`.

    PYTHONPATH=.:site .venv/bin/python -m tests.benchmarks.scale --parts workers queue costs --json scale.json

*workers*: throughput of tasks created by `createTasks`, with 1, 2, 4, 8 worker processes, then with two web processes
and two sinks. *queue*: throughput with so many tasks queued already, of the first ones that end. *costs*: what each act
takes within its process among so many queued tasks: create, hand over, record, pages, counts.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.bench import Ask, connect, create_many, median, rate, running
from tests.benchmarks.rows import empty, queued

PARTS = ("workers", "queue", "costs")
FINISHED = "SELECT count(*) FROM tasks_task WHERE status = 'FINISHED'"
MEASURED = 8_000  # tasks that end while a deep queue's throughput is measured
REPEATS = 9


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--tasks", type=int, default=8_000, help="in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queued", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options = parser.parse_args()
    told = report.Report("scale", options)
    for part in options.parts:
        {"workers": _workers, "queue": _queue, "costs": _costs}[part](options, told)
    told.save()


def _workers(options: argparse.Namespace, told: report.Report) -> None:
    told.table(f"{options.database}: tasks a second", "workers", "web", "sinks", "median", "rounds")
    for workers, web, sinks in [*((count, 1, 1) for count in options.workers), (2, 2, 1), (2, 1, 2), (2, 2, 2)]:
        os.environ["WEB_CONCURRENCY"] = str(web)
        with running(options.database, workers) as (stack, ask), _more_sinks(stack, sinks - 1):
            rate(ask, 2_000, lambda: create_many(stack, 2_000))
            rates = [rate(ask, options.tasks, lambda: create_many(stack, options.tasks)) for _ in range(options.rounds)]
        told.row(str(workers), web, sinks, median(rates), " ".join(f"{each:,.0f}" for each in rates))
    os.environ["WEB_CONCURRENCY"] = "1"


@contextmanager
def _more_sinks(stack: Any, count: int) -> Iterator[None]:
    from devstack import credentials

    kept = credentials.read(stack.var)
    given = {"RABBITMQ_URL": credentials.amqp_url(kept, "sink"), "MILLRACE_TOKEN": kept["sink_token"]}
    environment = {**os.environ, **given, "MILLRACE_URL": stack.url, "MILLRACE_VAR": str(stack.var)}
    environment.pop("MILLRACE_TEST_DATABASE", None)
    sinks = [subprocess.Popen([sys.executable, "-m", "sink"], env=environment) for _ in range(count)]
    try:
        yield
    finally:
        for sink in sinks:
            sink.terminate()
            sink.wait()


def _queue(options: argparse.Namespace, told: report.Report) -> None:
    told.table(f"{options.database}, 2 workers: tasks a second of a deep queue", "queued", "tasks/s", "of the first")
    first = 0.0
    for count in options.queued:
        with running(options.database, 2) as (stack, ask):
            owner = ask("SELECT id FROM auth_user WHERE username = 'admin'")
            rate(ask, 2_000, lambda: create_many(stack, 2_000))
            stack.stop()
            _fill(stack, options.database, count, owner)
            stack.start()
            found = _rate_of(ask, ask(FINISHED), min(MEASURED, count * 3 // 4))
        first = first or found
        told.row(f"{count:,}", found, found / first)


def _fill(stack: Any, database: str, count: int, owner: int) -> None:
    connection = connect(stack)
    connection.execute(queued(database, count, owner))
    connection.commit()
    if database == "postgresql":
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE tasks_task")
    connection.close()


def _rate_of(ask: Ask, before: int, count: int) -> float:
    """Of `count` tasks that end, from the tenth part of them on: the first ones wait for workers."""
    started_at, start = 0.0, before + count // 10
    while (finished := ask(FINISHED)) < before + count:
        if not started_at and finished >= start:
            started_at, start = time.perf_counter(), finished
        time.sleep(0.005)
    return float((finished - start) / (time.perf_counter() - started_at))


def _costs(options: argparse.Namespace, told: report.Report) -> None:
    with empty(options.database) as people:
        from django.db import connection

        told.table(f"{options.database}: ms, median of {REPEATS}, among so many queued", "queued", *_acts(people))
        there = 0
        for count in options.queued:
            with connection.cursor() as cursor:
                cursor.execute(queued(options.database, count - there, people["sam"].pk).replace("%", "%%"), [])
            there = count
            if options.database == "postgresql":
                connection.connection.execute("VACUUM ANALYZE tasks_task")
            told.row(f"{count:,}", *(median([_ms(act) for _ in range(REPEATS)]) for act in _acts(people).values()))


def _acts(people: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    from django.core.cache import cache
    from django.test import Client

    from apps.queues import figures
    from apps.relay import schedule
    from apps.tasks import recording, services
    from apps.tasks.drafts import Draft

    sam, client = people["sam"], Client(headers={"host": "localhost"})
    client.force_login(sam)
    draft = Draft(name="one", kind="demo.noop", params={"x": 1})

    def page(query: str) -> Callable[[], Any]:
        def ask() -> None:
            cache.clear()
            assert client.get(f"/tasks/?{query}").status_code == 200

        return ask

    handed: list[list[int]] = []

    def hand_over() -> None:
        batch = schedule.due("default", 500)
        schedule.mark_handed_over(batch)
        handed.append([each.task for each in batch])

    def record() -> None:
        """Of those handed over: as many batches are."""
        outcome = {"type": "OUTCOME", "attempt": 1, "status": "FINISHED", "value": "1.0", "run_seconds": 0.0}
        recording.record([{"v": 1, "worker": "w", "events": [{**outcome, "task": number} for number in handed.pop()]}])

    return {
        "create": lambda: services.create(user=sam, draft=draft),
        "create 1,000": lambda: services.create_many(user=sam, drafts=[draft] * 1_000),
        "hand over 500": hand_over,
        "record 500": record,
        "first page": page(""),
        "a filter": page("q=status:QUEUEING"),
        "deep page": page("after=5000"),
        "counts": lambda: figures.of(["default"]),
    }


def _ms(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
