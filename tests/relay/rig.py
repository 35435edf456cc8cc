"""What tests of the relay need: a look into its queues as its own login sees them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika

from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually

QUEUE = "millrace.tasks.default"
Run = Callable[..., Process]


@contextmanager
def opened(broker: Broker) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(broker.url("relay")))
    yield connection.channel()
    connection.close()


def take(channel: Any, count: int, queue: str = QUEUE) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Body and headers of the next messages, in order."""
    taken: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def one() -> bool:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method:
            taken.append((json.loads(body), properties.headers or {}))
        return len(taken) == count

    eventually(one)
    return taken
