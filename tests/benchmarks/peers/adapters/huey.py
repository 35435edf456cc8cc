"""Huey on Redis, and on SQLite: process workers."""

import os
import sys
from pathlib import Path
from typing import Any

from huey import RedisHuey, SqliteHuey

from tests.benchmarks.peers import work

SETTINGS = {
    "redis": "a killed worker's tasks are lost; all of the last second lost with the power",
    "sqlite": "a killed worker's tasks are lost",
}
TASKS = 3_000
on_redis = work.SETTING == "redis"
if on_redis:
    huey = RedisHuey("peers", url=f"{work.REDIS}/6")
else:
    huey = SqliteHuey("peers", filename=os.fspath(Path(os.environ["PEERS_HOME"], "huey.sqlite3")), fsync=True)


@huey.task()
def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def workers() -> list[list[str]]:
    consumer = Path(sys.executable).with_name("huey_consumer")
    polls = [] if on_redis else ["-d", "0.02", "-m", "0.1"]
    how = ["-w", str(work.SLOTS), "-k", "process", "-q", "-n", "-C", *polls]
    return [[str(consumer), f"{__name__}.huey", *how]]


class Producer:
    def send(self, number: int) -> Any:
        return noop(work.params(number))


class Watcher:
    def count(self) -> int:
        return int(huey.storage.result_store_size())

    def is_done(self, sent: Any) -> bool:
        return sent.get(preserve=True) is not None
