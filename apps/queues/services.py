"""What can be done with queues (pause, resume, purge) and workers (drain, stop, resume), by pages and GraphQL."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models import Max

from apps.accounts.permissions import may_operate
from apps.audit.journal import covered, note
from apps.audit.models import Result
from apps.queues import names
from apps.queues.models import Order, Queue, Worker
from apps.queues.querysets import SILENT_AFTER
from apps.relay import wake
from apps.tasks.clock import database_now, tick
from apps.tasks.drafts import Problem, Refused
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task
from apps.tasks.sentences import duration
from apps.tasks.services import cancel_waiting
from workers.messages import storable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

PURGED_AT_ONCE = 1_000
PURGE_SECONDS = 20.0  # somebody waits for the answer; 100,000 tasks take about ten
LEFT_CAP = 100_000
NOT_ALLOWED = (
    "Only who has the permission “Can operate queues and workers” may do this, for it holds up everybody's tasks: "
    "ask an administrator."
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Purge:
    """How many tasks were cancelled, and how many of those that were to be are left (counted up to LEFT_CAP)."""

    cancelled: int
    left: int


def pause_queue(*, user: User, name: str) -> bool:
    """Nothing of it begins from now on; what runs runs on. False: it was paused already, and stays so by whom it was.

    Raises Refused, as all of these do.
    """
    _check_operator(user, "queue.pause", f"queue {name}")
    _check_queue(name)
    Queue.objects.bulk_create([Queue(name=name)], ignore_conflicts=True)
    return _change_queue(user, name, "paused", was=True, paused_at=database_now(), paused_by=user)


def resume_queue(*, user: User, name: str) -> bool:
    """False: it was not paused."""
    _check_operator(user, "queue.resume", f"queue {name}")
    _check_queue(name)
    return _change_queue(user, name, "resumed", was=False, paused_at=None, paused_by=None)


def purge_queue(*, user: User, name: str) -> Purge:
    """Cancels whatever waits in it now, also what is scheduled for later or waits for its next try."""
    _check_operator(user, "queue.purge", f"queue {name}")
    _check_queue(name)
    newest = Task.objects.aggregate(newest=Max("id"))["newest"] or 0
    # Before the first piece: whatever ends this, it stands there who has begun it.
    note("queue.purge", f"queue {name}", user=user, count=_left(name, newest))
    cancelled, deadline = 0, time.monotonic() + PURGE_SECONDS
    for numbers in _batches(name, newest):
        with covered():
            cancelled += len(cancel_waiting(user=user, numbers=numbers).done)
        if time.monotonic() > deadline:
            break
    left = _left(name, newest)
    log.info(
        "queue.purged",
        text="{user} has purged the queue {queue}: {count} cancelled, {left} left",
        user=user.username,
        queue=name,
        count=cancelled,
        left=left,
    )
    return Purge(cancelled, left)


def drain_worker(*, user: User, name: str) -> Worker:
    """It begins nothing from now on, finishes what it runs, and stays."""
    return _order(user, name, Order.DRAIN)


def stop_worker(*, user: User, name: str) -> Worker:
    """The same, and then its process ends."""
    return _order(user, name, Order.STOP)


def resume_worker(*, user: User, name: str) -> Worker:
    return _order(user, name, "")


def _check_operator(user: User, act: str, what: str) -> None:
    if not may_operate(user):
        note(act, what, user=user, result=Result.REFUSED)
        raise Refused([Problem(field=(), message=NOT_ALLOWED, code="FORBIDDEN")])


def _check_queue(name: str) -> None:
    if name not in names.known():
        raise Refused([Problem(field=("name",), message=f"There is no queue {name:.100}.", code="NOT_FOUND")])


def _change_queue(user: User, name: str, done: str, *, was: bool, **columns: object) -> bool:
    with transaction.atomic():
        changed = Queue.objects.filter(name=name, paused_at__isnull=was).update(**columns)
        if changed:
            note(f"queue.{done.removesuffix('d')}", f"queue {name}", user=user)
            tick()
            transaction.on_commit(wake.relay, robust=True)
            log.info(
                f"queue.{done}", text="{user} has {done} the queue {queue}", user=user.username, done=done, queue=name
            )
    return bool(changed)


def _waiting(queue: str, newest: int) -> tuple[QuerySet[Task, int], QuerySet[Task, int]]:
    """What the broker does not have, the last to be handed over first, and what it has."""
    waiting = Task.objects.filter(queue=queue, status=Status.QUEUEING, id__lte=newest).values_list("id", flat=True)
    here = waiting.filter(dispatch_at__isnull=False).order_by("priority", "-dispatch_at", "-id")
    return here, waiting.filter(dispatch_at__isnull=True).order_by("-handed_at")


def _left(queue: str, newest: int) -> int:
    return sum(part[: LEFT_CAP + 1].count() for part in _waiting(queue, newest))


def _batches(queue: str, newest: int) -> Iterator[list[int]]:
    """What a worker may hold comes last: workers remember the latest that they were told of."""
    here, in_broker = _waiting(queue, newest)
    while numbers := list(here[:PURGED_AT_ONCE]) or list(in_broker[:PURGED_AT_ONCE]):
        yield numbers


def _order(user: User, name: str, order: Order | str) -> Worker:
    act = f"worker.{(order or 'resume').lower()}"
    _check_operator(user, act, f"worker {name}")
    ordered_by = user if order else None
    with transaction.atomic():
        worker = Worker.objects.filter(name=name).first() if storable(name) else None
        if trouble := _gone(worker, name):
            raise Refused([Problem(field=("id",), message=trouble, code="NOT_FOUND")])
        Worker.objects.filter(name=name).update(order=order, ordered_by=ordered_by)
        if not order:  # it says so within moments; until then it would look as one that stops
            Worker.objects.filter(name=name).update(draining=False)
        note(act, f"worker {name}", user=user)
        tick()
    log.info(
        "worker.ordered",
        text="{user} tells {worker} to {order}",
        user=user.username,
        worker=name,
        order=order or "go on",
    )
    return Worker.objects.get(name=name)


def _gone(worker: Worker | None, name: str) -> str:
    """Why it cannot be told anything, as a sentence; empty when it can."""
    if worker is None:
        return f"There is no worker {name:.200}."
    if worker.left_at:
        return f"Worker {name} has left already."
    silent = database_now() - worker.last_seen_at
    if silent < SILENT_AFTER:
        return ""
    return f"Worker {name} is lost: it was last heard from {duration(silent.total_seconds())} ago and cannot be told."
