"""RQ on Redis: as it comes, a fork for each task; and with its simple worker, which runs them in its own process."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import redis
from rq import Queue

from tests.benchmarks.peers import work

SETTINGS = {
    "simple": "runs tasks in the worker's own process; all of the last second lost with the power",
    "fork": "all of the last second lost with the power",
}
TASKS = 500
URL = f"{work.REDIS}/4"
WORKERS = {"simple": "rq.worker.SimpleWorker", "fork": "rq.worker.Worker"}


def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def workers() -> list[list[str]]:
    program = os.fspath(Path(sys.executable).with_name("rq"))
    kind = WORKERS[work.SETTING]
    return [[program, "worker-pool", "-q", "-u", URL, "-n", str(work.SLOTS), "-w", kind, "peers"]]


class Producer:
    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(URL)
        self._queue = Queue("peers", connection=self._redis)

    def send(self, number: int) -> Any:
        return self._queue.enqueue(f"{__name__}.noop", work.params(number), result_ttl=86_400)

    def send_many(self, numbers: Iterable[int]) -> None:
        made = [Queue.prepare_data(f"{__name__}.noop", (work.params(number),), result_ttl=86_400) for number in numbers]
        self._queue.enqueue_many(made)


class Watcher:
    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(URL)

    def count(self) -> int:
        return int(self._redis.zcard("rq:finished:peers"))

    def is_done(self, sent: Any) -> bool:
        return sent.return_value(refresh=True) is not None
