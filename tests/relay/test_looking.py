"""What the relay sees in the broker, for the balance."""

from typing import Any

from django.contrib.auth.models import User

from apps.queues.models import BrokerLook
from tests.fixtures.processes import Process, eventually
from tests.queues.rows import waiting
from tests.relay.rig import QUEUE, take
from workers.broker import BAD, OUTCOMES


def test_the_relay_notes_what_lies_in_the_broker(relay: Process, alice: User, channel: Any) -> None:
    waiting(alice)
    waiting(alice)
    eventually(lambda: BrokerLook.objects.filter(name=QUEUE, queue="default", ready=2, waiting=2, consumers=0).exists())
    assert set(BrokerLook.objects.filter(queue="", ready__isnull=False).values_list("name", flat=True)) >= {
        OUTCOMES,
        BAD,
    }
    take(channel, 1)
    eventually(lambda: BrokerLook.objects.filter(name=QUEUE, ready=1, waiting=2).exists())
