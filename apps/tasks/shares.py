"""Links by which anybody sees one task, and nothing else: made and revoked by who may change it, ended by time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from apps.accounts import secrets_text
from apps.audit.journal import note
from apps.tasks.drafts import Problem, Refused
from apps.tasks.models import Share, Task
from apps.tasks.services import check_writer

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

DAYS: Final = (1, 7, 30)
USUAL_DAYS: Final = 7
MOST: Final = 20


def make(*, user: User, task: Task, days: int) -> str:
    """The text of the link, which nobody can get again. Raises Refused."""
    check_writer(user, "share.make", f"task {task.pk}")
    if days not in DAYS:
        raise Refused([Problem(field=("days",), message=f"Choose one of {', '.join(map(str, DAYS))} days.")])
    if alive(task).count() >= MOST:
        message = f"There are {MOST} links to this task, which is the limit: revoke one first."
        raise Refused([Problem(field=(), message=message, code="LIMIT_REACHED")])
    text = secrets_text.make()
    ends = timezone.now() + timedelta(days=days)
    with transaction.atomic():
        Share.objects.filter(expires_at__lt=timezone.now()).delete()
        Share.objects.create(task=task, hash=secrets_text.hashed(text), created_by=user, expires_at=ends)
        note("share.make", f"task {task.pk}", user=user, details=f"for {days} days")
    return text


def revoke(*, user: User, task: Task, number: int) -> bool:
    """False: there is none of this number. Raises Refused."""
    check_writer(user, "share.revoke", f"task {task.pk}")
    with transaction.atomic():
        gone, _ = Share.objects.filter(task=task, pk=number).delete()
        if gone:
            note("share.revoke", f"task {task.pk}", user=user)
    return bool(gone)


def alive(task: Task) -> QuerySet[Share]:
    return task.shares.filter(expires_at__gt=timezone.now())


def opened(text: str) -> Task | None:
    """The task of this link, while it is good: neither ended nor revoked, and its maker still sees the task."""
    if not secrets_text.is_whole(text):
        return None
    good = Share.objects.filter(hash=secrets_text.hashed(text), expires_at__gt=timezone.now())
    share = good.filter(created_by__is_active=True).select_related("created_by").first()
    return Task.objects.visible_to(share.created_by).filter(pk=share.task_id).first() if share else None
