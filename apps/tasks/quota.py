"""How many tasks a person may have open at once: looked up now and then, and counted down in between."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache

from apps.tasks.drafts import Problem, Refused
from apps.tasks.lifecycle import LIVE
from apps.tasks.models import Task

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# To count a million takes up to half a second: one looks after so many tasks, or so much time.
LEAST_BETWEEN = 1_000
BELIEVED_SECONDS = 60
REFUSED_SECONDS = 5


def check(user: User, count: int) -> None:
    """Before so many are created. Raises Refused when they would be too many; staff have no limit.

    Each web process looks for itself, so several together may let through some thousand more.
    """
    most = settings.OPEN_TASKS_PER_PERSON
    if not most or user.is_staff:
        return
    with _lock:
        left, until = _known.get(user.pk, (0, 0.0))
        if count <= left and time.monotonic() < until:
            _known[user.pk] = left - count, until
            return
    left = _look(user, count, most)
    with _lock:
        _known[user.pk] = left - count, time.monotonic() + BELIEVED_SECONDS


def forget() -> None:
    _known.clear()


def _look(user: User, count: int, most: int) -> int:
    """How many may be created before the next look. Raises Refused."""
    key = f"no-more-tasks:{user.pk}"
    open_now: int | None = cache.get(key)
    if open_now is None or open_now + count <= most:
        open_now = Task.objects.filter(created_by=user, status__in=LIVE).order_by()[:most].count()
    room = most - open_now
    if count <= room:
        return min(room, max(room // 10, LEAST_BETWEEN, count))
    cache.set(key, open_now, REFUSED_SECONDS)
    message = (
        f"A person may have {most:,} open tasks (you have {open_now:,}): wait until some have ended, cancel some, or "
        "ask an administrator to raise MILLRACE_OPEN_TASKS_PER_PERSON."
    )
    raise Refused([Problem(field=(), message=message, code="LIMIT_REACHED")])


_known: dict[int, tuple[int, float]] = {}  # by person: how many before the next look, and until when
_lock = threading.Lock()
