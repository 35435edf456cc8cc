"""What tests of the relay need: a look into its queues as its own login sees them, and the other end of the path."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pika
from django.db import connections
from pika.exceptions import AMQPError

from apps.relay.rounds import Relay
from apps.tasks import recording
from devstack import lifeline
from tests.fixtures.broker import Broker, evaluate
from tests.fixtures.processes import Process, eventually
from workers.broker import OUTCOMES, OUTCOMES_EXCHANGE, OUTCOMES_KEY, parse_addresses
from workers.messages import Event, EventBatch, Heartbeat, Started

QUEUE = "millrace.tasks.default"
Run = Callable[..., Process]


@contextmanager
def opened(broker: Broker) -> Iterator[Any]:
    url = f"{broker.url('relay')}?heartbeat=0"  # while a test waits for something else nobody would answer
    connection = pika.BlockingConnection(pika.URLParameters(url))
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


@contextmanager
def serving(broker: Broker) -> Iterator[Relay]:
    """The relay within the test's own process, which may change its constants."""
    relay = Relay(parse_addresses(broker.url("relay")))

    async def serve() -> None:
        await relay.run()
        await relay._database.close_connection()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield relay
    finally:
        relay.stop()
        thread.join()


@contextmanager
def home(broker: Broker) -> Iterator[None]:
    """What arrives in the queue of the outcomes is recorded: sink and web in one."""
    leaving = threading.Event()

    def record() -> None:
        while not leaving.wait(0.01):
            with suppress(AMQPError), opened(broker) as channel:
                while not leaving.wait(0.01):
                    while (got := channel.basic_get(OUTCOMES))[0]:
                        recording.record([json.loads(got[2])])
                        channel.basic_ack(got[0].delivery_tag)
        connections.close_all()

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        thread.join()


def tell(broker: Broker, *events: Event, worker: str = "w:1:a", running: list[int] | None = None) -> None:
    """As a worker does, with a heartbeat that lists what it runs."""
    heartbeat = Heartbeat(host="h", pid=1, queues=["default"], concurrency=1, running=running or [])
    body = EventBatch(worker=worker, events=list(events), heartbeat=heartbeat).encode()
    with opened(broker) as channel:
        channel.confirm_delivery()
        channel.basic_publish(OUTCOMES_EXCHANGE, OUTCOMES_KEY, body, mandatory=True)


@contextmanager
def working(broker: Broker, task: int) -> Iterator[None]:
    """A worker has begun the task, and says so with each of its heartbeats."""
    tell(broker, Started(task=task, attempt=1), running=[task])
    leaving = threading.Event()

    def beat() -> None:
        while not leaving.wait(0.2):
            tell(broker, running=[task])

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        thread.join()


@contextmanager
def hung(broker: Broker) -> Iterator[None]:
    """It answers nobody and closes nothing, as on a machine that is suspended."""
    assert broker._process
    processes = _below(broker._process.pid)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def without_room(broker: Broker) -> Iterator[None]:
    """Its memory alarm is on: it takes no message from anybody."""
    evaluate(broker.var, "vm_memory_monitor:set_vm_memory_high_watermark(0.000001).")
    try:
        yield
    finally:
        evaluate(broker.var, "vm_memory_monitor:set_vm_memory_high_watermark({absolute,536870912}).")


def _below(pid: int) -> list[int]:
    return [each for child in lifeline.children_of(pid) for each in (child, *_below(child))]
