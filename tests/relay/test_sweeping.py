"""Acts on all that match, done by the relay; and what it lets go."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from apps.audit.models import Entry
from apps.tasks import sweeps
from apps.tasks.models import Sweep, Task
from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.relay.rig import Run


def test_a_sweep_goes_on_after_its_relay_was_killed(relay: Process, run: Run, broker: Broker, alice: User) -> None:
    fields = {"kind": "demo.noop", "created_by": alice, "created_at": timezone.now(), "status": "FINISHED"}
    Task.objects.bulk_create(Task(name=f"n{n}", **fields) for n in range(3_000))
    sweep = sweeps.begin(user=alice, act="delete", text="status:FINISHED", zone="UTC", expected=3_000)
    eventually(lambda: Sweep.objects.get(pk=sweep.pk).done > 0)
    relay.kill()
    eventually(lambda: Task.objects.count() + Sweep.objects.get(pk=sweep.pk).done == 3_000)
    run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: Sweep.objects.get(pk=sweep.pk).ended_at)
    sweep.refresh_from_db()
    assert (sweep.done, sweep.refused, Task.objects.count()) == (3_000, 0, 0)


def test_the_relay_lets_go_of_what_is_too_old(run: Run, broker: Broker, channel: Any, alice: User) -> None:
    for days in (400, 1):
        Entry.objects.create(act="task.create", object=f"{days}", way="page", at=timezone.now() - timedelta(days))
    run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: not Entry.objects.filter(object="400").exists())
    assert Entry.objects.filter(object="1").exists()
