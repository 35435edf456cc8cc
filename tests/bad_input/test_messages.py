"""What becomes of messages that nobody should have sent, on a real broker, by the numbers of docs/bad-input.md."""

import asyncio
import gzip
import json
import os
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from tests.fixtures.broker import Broker
from tests.fixtures.processes import eventually
from tests.workers.fixtures import Start
from tests.workers.rig import TASKS, Rabbit, Web, task
from workers.broker import (
    BAD,
    CONTROL_EXCHANGE,
    DEAD,
    DEFAULT_QUEUE,
    OUTCOMES,
    OUTCOMES_EXCHANGE,
    OUTCOMES_KEY,
    TASKS_EXCHANGE,
    BrokerLost,
    open_connection,
    parse_addresses,
)
from workers.messages import EventBatch, Started
from workers.topology import TASK_DELIVERIES

MIB = 1_048_576
PLACES = {TASKS: (TASKS_EXCHANGE, DEFAULT_QUEUE), OUTCOMES: (OUTCOMES_EXCHANGE, OUTCOMES_KEY)}


class Canary:
    """Runs a command wherever somebody unpickles it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch '{self._file}'",)


def put(rabbit: Rabbit, queue: str, body: bytes, **properties: Any) -> None:
    """As somebody may who has the relay's login."""
    with rabbit.opened() as channel:
        channel.confirm_delivery()
        channel.basic_publish(*PLACES[queue], body, pika.BasicProperties(delivery_mode=2, **properties))


def test_what_nobody_can_read_is_parked_unread_and_holds_up_no_other(
    rabbit: Rabbit, worker: Start, start: Start, web: Web, tmp_path: Path
) -> None:
    task_body = task(1).encode()
    batch_body = EventBatch(worker="w", events=[Started(task=7, attempt=1)]).encode()
    bodies: dict[str, tuple[bytes, dict[str, Any]]] = {
        "pickle": (pickle.dumps(Canary(tmp_path / "ran")), {"content_type": "application/x-python-serialize"}),
        "gzip": (gzip.compress(b" " * 20 * MIB), {"content_encoding": "gzip"}),
        "headers": (b"nonsense", {"headers": {f"x-{number}": "y" * 1_000 for number in range(100)}}),
    }
    misplaced = {TASKS: batch_body, OUTCOMES: task_body}
    for queue in PLACES:
        for body, properties in bodies.values():
            put(rabbit, queue, body, **properties)
        put(rabbit, queue, misplaced[queue])
    rabbit.put(task(2))
    reader, sink = worker(), start("sink")
    eventually(lambda: any(event["task"] == 2 and event["type"] == "OUTCOME" for event in web.events()))
    eventually(lambda: rabbit.count(BAD) == 8)
    parked = rabbit.take(BAD)
    for queue in PLACES:
        there = {body: headers["x-why"] for body, headers in parked if headers["x-source"] == queue}
        assert set(there) == {*(body for body, _ in bodies.values()), misplaced[queue]}
        assert all(there.values())
    assert not (tmp_path / "ran").exists()
    assert (reader.stop(), sink.stop()) == (0, 0)


def test_a_message_over_the_limit_is_refused_by_the_broker(rabbit: Rabbit) -> None:
    with pytest.raises(ChannelClosedByBroker, match="larger than configured max size"):
        put(rabbit, TASKS, b" " * (20 * MIB))
    assert rabbit.count(TASKS) == 0


def test_what_is_delivered_again_and_again_is_given_up_in_the_end(rabbit: Rabbit) -> None:
    rabbit.put(task(1))
    with rabbit.opened() as channel:
        for _ in range(TASK_DELIVERIES + 1):
            found: list[Any] = []
            eventually(partial(take_one, channel, found))
            channel.basic_nack(found[0].delivery_tag, requeue=True)
    eventually(lambda: rabbit.count(DEAD) == 1)
    [(body, _)] = rabbit.take(DEAD)
    assert json.loads(body)["task"] == 1
    assert rabbit.count(TASKS) == 0


def take_one(channel: Any, found: list[Any]) -> bool:
    method, _, _ = channel.basic_get(TASKS)
    found.extend([method] if method else [])
    return bool(method)


@pytest.mark.parametrize("role", ["worker", "sink"])
def test_only_the_relay_may_tell_workers_to_cancel_or_to_stop(broker: Broker, role: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(role)))
    channel = connection.channel()
    channel.confirm_delivery()
    with pytest.raises(ChannelClosedByBroker, match=r"access to exchange 'millrace\.ctl'.* refused"):
        channel.basic_publish(CONTROL_EXCHANGE, "", b'{"v":1,"orders":{"stopping":["w"]}}')
    connection.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"port": 1}, "connection refused"),
        ({"credentials": pika.PlainCredentials("relay", "wrong")}, "it refuses the user name or password"),
        ({"virtual_host": "nope"}, "it refuses this user access to the virtual host"),
        ({"scheme": "amqps"}, "it speaks no TLS at this port: amqps:// is for its TLS port, which is 5671 by custom"),
    ],
)
def test_an_address_of_something_else_says_what_it_answered(broker: Broker, change: dict[str, Any], said: str) -> None:
    [address] = parse_addresses(broker.url("relay").replace("amqp", change.get("scheme", "amqp"), 1))
    for name, value in change.items():
        if name != "scheme":
            setattr(address.parameters, name, value)
    with pytest.raises(BrokerLost) as lost:
        asyncio.run(open_connection(address))
    assert str(lost.value) == said
