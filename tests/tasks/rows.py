"""Rows as tests of the pages want them, and what a page says."""

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from apps.tasks.models import Attempt, Task


def a_task(owner: User, **fields: Any) -> Task:
    now = timezone.now()
    return Task.objects.create(
        **{"name": "a task", "kind": "demo.noop", "created_by": owner, "created_at": now, **fields}
    )


def an_attempt(task: Task, **fields: Any) -> Attempt:
    now = timezone.now()
    defaults = {"number": 1, "worker": "w1", "status": task.status, "started_at": now, "run_seconds": 1.5}
    return Attempt.objects.create(task=task, **{**defaults, **fields})


def text_of(response: Any) -> str:
    return str(response.content.decode())
