"""Fixtures of this folder: a person, a look into the broker, the relay as its own process."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.queues.models import Pulse
from apps.tasks.models import Kind
from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.relay.rig import QUEUE, Run, opened


@pytest.fixture
def alice(transactional_db: None) -> User:
    Kind.objects.create(name="demo.noop", schema={"type": "object"}, announced_at=timezone.now())
    return User.objects.create_user("alice")


@pytest.fixture
def channel(broker: Broker) -> Iterator[Any]:
    """For looking at the queue, which is gone after the test."""
    with opened(broker) as channel:
        yield channel
        channel.queue_delete(QUEUE)


@pytest.fixture
def relay(run: Run, broker: Broker, channel: Any) -> Process:
    process = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: Pulse.objects.filter(name="broker", trouble="").exists())
    return process
