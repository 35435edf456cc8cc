"""The memory of minutes, written by the relay."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from apps.queues.minutes import minute_of
from apps.queues.models import Minute
from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.relay.rig import Run
from tests.tasks.rows import a_task


def test_the_minutes_that_are_over_are_counted_also_by_the_next_relay(
    relay: Process, run: Run, broker: Broker, alice: User
) -> None:
    at = minute_of(timezone.now()) - timedelta(minutes=5)
    eventually(Minute.objects.exists)
    relay.kill()
    Minute.objects.all().delete()
    for n in (2, 1, 0):
        a_task(alice, created_at=at - timedelta(minutes=n), status="FAILED", finished_at=at)
    run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: Minute.objects.filter(at=at, queue="default", failed=3, created=1).exists())
