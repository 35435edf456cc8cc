"""How many tasks a person may have open at once: looked up now and then, and counted down in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache

from apps.tasks.drafts import Problem, Refused
from apps.tasks.lifecycle import LIVE
from apps.tasks.models import Task

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LEAST_BETWEEN = 1_000  # tasks, before one looks again: counting a million takes some 0.1 s
BELIEVED_SECONDS = 60
REFUSED_SECONDS = 2  # nobody has it counted with every request


def check(user: User, count: int) -> None:
    """Before so many are created. Raises Refused when they would be too many; staff have no limit.

    Each web process looks for itself, so several together may let through some thousand more.
    """
    most = settings.OPEN_TASKS_PER_PERSON
    if not most or user.is_staff:
        return
    key = f"open-tasks:{user.pk}"
    try:
        left = cache.decr(key, count)
    except ValueError:  # it is not there any more
        left = -1
    if left < 0:
        cache.set(key, _look(user, count, most) - count, BELIEVED_SECONDS)


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
