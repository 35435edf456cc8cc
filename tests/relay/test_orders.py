"""What the workers are told to leave alone, on its way to them."""

from typing import Any

import pytest

from apps.queues.models import Order, Queue, Worker
from tests.fixtures.processes import Process, eventually
from tests.queues.rows import a_worker
from workers.broker import CONTROL_EXCHANGE, control_queue
from workers.messages import Orders, decode_control


@pytest.fixture
def heard(relay: Process, channel: Any) -> list[Any]:
    """What a connected worker is told."""
    queue = control_queue("w:1:a")
    channel.queue_declare(queue, exclusive=True)
    channel.queue_bind(queue, CONTROL_EXCHANGE)
    told: list[Any] = []
    channel.basic_consume(queue, lambda _c, _m, _p, body: told.append(decode_control(body)))
    return told


def test_workers_hear_of_a_pause_and_an_order_at_once_and_again_and_again(heard: list[Any], channel: Any) -> None:
    def hears(orders: Orders) -> bool:
        channel.connection.process_data_events(0)
        return bool(heard) and heard[-1] == orders

    eventually(lambda: hears(Orders()))
    a_worker("w1")
    Queue.objects.filter(name="default").update(paused_at="2026-03-01T00:00:00Z")
    Worker.objects.update(order=Order.DRAIN)
    eventually(lambda: hears(Orders(paused=["default"], draining=["w1"])))
    heard.clear()
    eventually(lambda: hears(Orders(paused=["default"], draining=["w1"])))  # for whoever has missed it
    Queue.objects.update(paused_at=None)
    eventually(lambda: hears(Orders(draining=["w1"])))
