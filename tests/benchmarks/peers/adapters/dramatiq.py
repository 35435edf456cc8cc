"""Dramatiq on RabbitMQ, outcomes in Redis: a process of one thread for each slot."""

import os
import sys
from collections.abc import Iterable
from typing import Any

os.environ["dramatiq_queue_prefetch"] = "64"  # noqa: SIM112 its own name

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.results import Results
from dramatiq.results.backends.redis import RedisBackend

from tests.benchmarks.peers import work

SETTINGS = {
    "confirms": "outcomes in Redis: of the last second lost with the power",
    "no confirms": "publishes without confirms; outcomes in Redis as above",
}
TASKS = 4_000
DATABASE = 3
backend = RedisBackend(url=f"{work.REDIS}/{DATABASE}")
broker = RabbitmqBroker(url=work.RABBITMQ, confirm_delivery=work.SETTING == "confirms")
broker.add_middleware(Results(backend=backend))
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="dramatiq-peers", store_results=True, result_ttl=86_400_000)
def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def workers() -> list[list[str]]:
    return [[sys.executable, "-m", "dramatiq", __name__, "--processes", str(work.SLOTS), "--threads", "1"]]


class Producer:
    def send(self, number: int) -> Any:
        return noop.send(work.params(number))

    def send_many(self, numbers: Iterable[int]) -> None:
        dramatiq.group(noop.message(work.params(number)) for number in numbers).run()


def Watcher() -> work.Keys:  # noqa: N802 as the others' class
    return work.Keys(DATABASE, backend.build_message_key)
