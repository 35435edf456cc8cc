"""The private RabbitMQ node from its operator's side: its processes, its alarm, its queues."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika

from devstack import credentials, lifeline
from tests.chaos.rig import Rig
from tests.fixtures.broker import evaluate
from workers.broker import ARTIFACTS, BAD, DEAD, DEFAULT_QUEUE, OUTCOMES, TASKS_EXCHANGE, tasks_queue

QUEUE = tasks_queue(DEFAULT_QUEUE)
EVERY_QUEUE = (QUEUE, OUTCOMES, ARTIFACTS, DEAD, BAD)


class Node:
    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def pids(self) -> list[int]:
        """The launcher's and, below it, the VM's and epmd's."""
        launcher = self._rig.parts["broker"].pid()
        return [launcher, *lifeline.children_of(launcher)] if launcher else []

    def alarm(self, *, memory: bool) -> None:
        """Whether it is out of memory. Raises CalledProcessError when it is not there."""
        limit = "0.000001" if memory else "{absolute,536870912}"
        self._call(f"vm_memory_monitor:set_vm_memory_high_watermark({limit}).")

    def purge(self) -> None:
        with self._channel() as channel:
            channel.queue_purge(QUEUE)

    def delete(self) -> None:
        with self._channel() as channel:
            channel.queue_delete(QUEUE)

    def unbind(self) -> None:
        with self._channel() as channel:
            channel.queue_unbind(QUEUE, TASKS_EXCHANGE, DEFAULT_QUEUE)

    def clear(self) -> None:
        """As it was before anybody declared or sent something."""
        self.alarm(memory=False)
        with self._channel() as channel:
            for name in EVERY_QUEUE:
                channel.queue_delete(name)

    def holds(self, queue: str) -> int:
        """All of its messages, also those that a consumer has and has not acked; some seconds ago."""
        name = f'rabbit_misc:r(<<"/">>, queue, <<"{queue}">>)'
        said = self._call(
            f"{{ok, Q}} = rabbit_amqqueue:lookup({name}), proplists:get_value(messages, rabbit_amqqueue:info(Q))."
        )
        return int(said.removeprefix(b"{ok, ").removesuffix(b"}"))

    def ready(self, *queues: str) -> dict[str, int]:
        """The messages that wait in each of them."""
        with self._channel() as channel:
            return {queue: channel.queue_declare(queue, passive=True).method.message_count for queue in queues}

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        """Past the proxies, as the relay, who may do everything."""
        connection = pika.BlockingConnection(pika.URLParameters(credentials.amqp_url(self._rig.secrets, "relay")))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def _call(self, expression: str) -> bytes:
        return evaluate(self._rig.var, expression)
