"""Cancelled attempts on their way to the workers."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.queues.models import Pulse
from apps.tasks.drafts import Draft
from apps.tasks.models import CancelledAttempt, Task
from apps.tasks.services import create_many
from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.relay.rig import QUEUE, Run, opened
from workers.broker import CONTROL_EXCHANGE, control_queue
from workers.messages import Cancellation, decode_control


def cancel(*attempts: tuple[int, int]) -> None:
    CancelledAttempt.objects.add(attempts, timezone.now())


def all_told() -> bool:
    return not CancelledAttempt.objects.filter(told_at=None).exists()


@pytest.fixture
def heard(relay: Process, channel: Any) -> list[tuple[int, int]]:
    """What a connected worker is told."""
    queue = control_queue("w:1:a")
    channel.queue_declare(queue, exclusive=True)
    channel.queue_bind(queue, CONTROL_EXCHANGE)
    told: list[tuple[int, int]] = []

    def hear(_channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        if isinstance(said := decode_control(body), Cancellation):
            told.extend(said.attempts)

    channel.basic_consume(queue, hear)
    return told


def test_every_connected_worker_is_told(heard: list[tuple[int, int]], channel: Any) -> None:
    cancel((1, 1), (2, 3))
    eventually(all_told)
    eventually(lambda: channel.connection.process_data_events(0) or heard == [(1, 1), (2, 3)])


def test_many_are_told_in_order(heard: list[tuple[int, int]], channel: Any) -> None:
    cancel(*[(task, 1) for task in range(1, 1502)])
    eventually(all_told)
    eventually(lambda: channel.connection.process_data_events(0) or len(heard) == 1501)
    assert heard == sorted(heard)


def test_they_are_told_while_the_window_is_full(alice: User, heard: list[tuple[int, int]], channel: Any) -> None:
    create_many(user=alice, drafts=[Draft(name=str(n), kind="demo.noop") for n in range(300)])
    eventually(lambda: Task.objects.filter(dispatch_at=None).count() == 200)
    cancel((1, 1))
    eventually(lambda: channel.connection.process_data_events(0) or heard == [(1, 1)])


def test_without_a_worker_there_is_nobody_to_tell(relay: Process) -> None:
    cancel((1, 1))
    eventually(all_told)
    assert "RabbitMQ took none" not in relay.output


def test_they_wait_while_the_broker_is_away(run: Run, broker: Broker) -> None:
    relay = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: Pulse.objects.filter(name="broker", trouble="").exists())
    broker.stop()
    eventually(lambda: "waiting for RabbitMQ" in relay.output)
    cancel((1, 1))
    broker.start()
    assert not all_told()
    eventually(all_told)
    with opened(broker) as channel:
        channel.queue_delete(QUEUE)
