"""Workers as tests want them, by the heartbeats that make them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from apps.queues import heartbeats
from apps.queues.models import Worker
from apps.tasks.clock import tick
from apps.tasks.models import Task

PYTHON = {"python": "3.11.2", "packages": {"numpy": "2.0.0", "pandas": "2.2.1"}, "sandbox": "full"}


def a_worker(name: str = "w1", *, seen_seconds_ago: float = 0, **said: Any) -> Worker:
    """As it stands after one full heartbeat that said this."""
    beat = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": [], "kinds": [], **said}
    heartbeats.record([(name, beat)], ago(seen_seconds_ago))
    return Worker.objects.get(name=name)


def a_task(owner: User, worker: str = "w1", **fields: Any) -> Task:
    """One that this worker runs."""
    now = timezone.now()
    values = {"name": "a task", "kind": "demo.noop", "status": "RUNNING", "started_at": now, "created_at": now}
    task = Task.objects.create(**{**values, "created_by": owner, "worker": worker, **fields})
    tick()
    return task


def waiting(owner: User, **fields: Any) -> Task:
    """One that nobody has begun."""
    return a_task(owner, "", **{"status": "QUEUEING", "started_at": None, "dispatch_at": timezone.now(), **fields})


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)
