"""taskiq on RabbitMQ, outcomes in PostgreSQL: a process for each slot, many tasks at a time in each."""

import asyncio
import sys
from typing import Any

from taskiq_aio_pika import AioPikaBroker
from taskiq_pg.asyncpg import AsyncpgResultBackend

from tests.benchmarks.peers import work

SETTINGS = {"": "runs up to 100 tasks at a time in one thread: one that hangs holds up all"}
TASKS = 2_000
broker = AioPikaBroker(work.RABBITMQ, qos=100).with_result_backend(AsyncpgResultBackend(dsn=work.POSTGRESQL))


@broker.task(task_name="noop")
async def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def workers() -> list[list[str]]:
    how = ["-w", str(work.SLOTS), "--ack-type", "when_saved", "--log-level", "WARNING"]
    return [[sys.executable, "-m", "taskiq", "worker", f"{__name__}:broker", *how]]


class Producer:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(broker.startup())

    def send(self, number: int) -> Any:
        return self._loop.run_until_complete(noop.kiq(work.params(number))).task_id


class Watcher:
    def __init__(self) -> None:
        self._sql = work.Sql()

    def count(self) -> int:
        if not self._sql.one("SELECT to_regclass('taskiq_results')"):
            return 0
        return int(self._sql.one("SELECT count(*) FROM taskiq_results"))

    def is_done(self, sent: Any) -> bool:
        return self._sql.one("SELECT 1 FROM taskiq_results WHERE task_id = %s", sent) is not None
