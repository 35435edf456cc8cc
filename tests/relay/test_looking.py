"""What the relay sees in the broker, for the balance."""

from typing import Any

from django.contrib.auth.models import User

from apps.queues.models import BrokerLook
from tests.fixtures.processes import Process, eventually
from tests.queues.rows import waiting
from tests.relay.rig import QUEUE, take
from workers.broker import BAD, OUTCOMES


def in_broker(channel: Any) -> int:
    """As it says itself: after a fault of its own a message may be there twice."""
    count: int = channel.queue_declare(QUEUE, passive=True).method.message_count
    return count


def test_the_relay_notes_what_lies_in_the_broker(relay: Process, alice: User, channel: Any) -> None:
    waiting(alice)
    waiting(alice)
    lines = BrokerLook.objects.filter(name=QUEUE, queue="default", waiting=2, consumers=0)
    eventually(lambda: lines.filter(ready__gte=2).exists())
    eventually(lambda: lines.filter(ready=in_broker(channel)).exists())
    assert set(BrokerLook.objects.filter(queue="", ready__isnull=False).values_list("name", flat=True)) >= {
        OUTCOMES,
        BAD,
    }
    take(channel, 1)
    eventually(lambda: lines.filter(ready=in_broker(channel)).exists())
