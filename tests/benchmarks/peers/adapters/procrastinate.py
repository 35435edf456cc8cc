"""Procrastinate on PostgreSQL: a process for each slot, woken by NOTIFY."""

import sys
from collections.abc import Iterable
from typing import Any

import procrastinate

from tests.benchmarks.peers import work

SETTINGS = {"": "stores that a task has ended, not what it returned"}
TASKS = 1_000
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=work.POSTGRESQL))


@app.task(name="noop")
async def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def prepare() -> list[list[str]]:
    if work.Sql().one("SELECT to_regclass('procrastinate_jobs')"):
        return []
    return [[sys.executable, "-m", "procrastinate", "--app", f"{__name__}.app", "schema", "--apply"]]


def workers() -> list[list[str]]:
    command = [sys.executable, "-m", "procrastinate", "--app", f"{__name__}.app", "worker", "-c", "1"]
    return [command for _ in range(work.SLOTS)]


class Producer:
    def __init__(self) -> None:
        app.open()

    def send(self, number: int) -> Any:
        return noop.defer(given=work.params(number))

    def send_many(self, numbers: Iterable[int]) -> None:
        noop.batch_defer(*({"given": work.params(number)} for number in numbers))


def Watcher() -> work.Rows:  # noqa: N802 as the others' class
    return work.Rows("procrastinate_jobs", "id", "status = 'succeeded'")
