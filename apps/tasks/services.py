"""What can be done with tasks: create, cancel, retry, delete, prioritise. Pages, mutations, commands all come here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.db.models.base import ModelState

from apps.accounts.permissions import may_create, may_write
from apps.audit.journal import note
from apps.audit.refusals import refuse
from apps.queues import names
from apps.relay import wake
from apps.tasks import artifacts, keys, kinds, quota, saving
from apps.tasks.clock import database_now, now_if_known, tick
from apps.tasks.drafts import Draft, Problem, Refused, cleaned, for_each, no_code
from apps.tasks.lifecycle import CANCEL, DELETABLE, FINAL, LIVE, RETRY, Reason, Status
from apps.tasks.models import Attempt, CancelledAttempt, Kind, Task
from apps.tasks.priority import OUT_OF_BOUNDS, is_priority
from workers.messages import BIGGEST_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from django.contrib.auth.models import User

MOST_AT_ONCE = 1_000
NO_WRITER = "Your role lets you look at tasks, and neither create nor change any: ask an administrator for another one."
STAYS = "stays as it is, for your role lets you look at tasks only: ask an administrator for another one"
MOST_NAMED = 50  # numbers in one entry of the audit log
MOST_LOOKS = 20  # each meets another one who creates under the same keys at the same moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an act did: the numbers of the tasks that it was done to, and why it was not done to others.

    `forbidden`: those of the refused that another person might act on.
    """

    done: list[int]
    refused: dict[int, str]
    forbidden: Collection[int] = ()


def create(*, user: User, draft: Draft) -> Task:
    """Raises Refused, with paths that begin at the draft's own fields.

    Under an idempotency key that this person has used before for the same: the task of that time (`existed`).
    """
    return _save(user, [draft], lambda drafts, make: list(map(make, drafts)))[0]


def create_many(*, user: User, drafts: Sequence[Draft]) -> list[Task]:
    """All of them in one transaction, or none. Raises Refused, with paths that begin with the draft's index."""
    if len(drafts) > MOST_AT_ONCE:
        message = f"At most {MOST_AT_ONCE:,} tasks at once (there are {len(drafts):,})."
        raise Refused([Problem(field=(), message=message, code="LIMIT_REACHED")])
    return _save(user, drafts, for_each)


def cancel(*, user: User, numbers: Sequence[int]) -> Act:
    """Nobody runs them any more: one that waits never starts, one that runs is killed, a late outcome changes nothing.

    Numbers of others' tasks are passed over like numbers of none, here and below.
    """
    return _act(user, numbers, LIVE, "has already ended ({status})", _cancel, act="task.cancel")


def cancel_waiting(*, user: User, numbers: Sequence[int]) -> Act:
    """The same for those that nobody has begun, whosever they are: what runs runs on."""
    refusal = "does not wait any more ({status})"
    return _act(user, numbers, {Status.QUEUEING}, refusal, _cancel, act="task.cancel", everybodys=True)


def retry(*, user: User, numbers: Sequence[int]) -> Act:
    """Each makes its next attempt, with as many errors and crashes before it as when it was created."""
    closed = {kind.name for kind in Kind.objects.filter(runs_code=True) if not may_create(user, kind)}
    refusal = "is {status}: it can be retried once it has ended"
    return _act(user, numbers, FINAL, refusal, _retry, closed=closed, act="task.retry")


def delete(*, user: User, numbers: Sequence[int]) -> Act:
    return _act(user, numbers, DELETABLE, "is {status}: cancel it first", _delete, act="task.delete", gone=True)


def set_priority(*, user: User, numbers: Sequence[int], priority: int) -> Act:
    """Of those that have not begun; what the broker has already goes out as it is. Raises Refused, out of bounds."""
    check_priority(priority)

    def change(tasks: Sequence[Task], _now: datetime) -> None:
        Task.objects.filter(id__in=[task.pk for task in tasks]).update(priority=priority)

    refusal = "is {status}: only what has not begun can be given another priority"
    said = f"priority {priority}"
    return _act(user, numbers, {Status.QUEUEING}, refusal, change, details=said, act="task.priority")


def check_priority(priority: int) -> None:
    """Raises Refused."""
    if not is_priority(priority):
        raise Refused([Problem(field=("priority",), message=OUT_OF_BOUNDS)])


def check_writer(user: User, act: str = "", what: str = "") -> None:
    """Raises Refused. `act`: for the audit log, when it was tried."""
    if not may_write(user):
        if act:
            refuse(act, what, user=user)
        raise Refused([Problem(field=(), message=NO_WRITER, code="FORBIDDEN")])


def _save(
    user: User, drafts: Sequence[Draft], for_all: Callable[[Sequence[Draft], Callable[[Draft], Task]], list[Task]]
) -> list[Task]:
    check_writer(user, "task.create")
    if not drafts:
        return []
    at_once = len(drafts) == 1 and drafts[0].run_at is None and drafts[0].delay_seconds is None
    if at_once and (remembered := kinds.remembered()):
        # By the kinds of a moment ago, which are held against those of now as it is saved, and without asking for the
        # time. Whatever is wrong, what is stored now is asked below.
        with suppress(Refused, IntegrityError, kinds.Moved):
            return _save_at_once(user, drafts, remembered, now_if_known(), for_all, remembered=True)
    known_kinds, now = kinds.known_now()
    asked = [known_kinds[name] for name in sorted({draft.kind for draft in drafts} & known_kinds.keys())]
    if closed := [kind.name for kind in asked if not may_create(user, kind)]:
        refuse("task.create", user=user, details=", ".join(closed))
    for _ in range(MOST_LOOKS):
        # Somebody may use one of the keys after they were looked up: the next time it is known.
        with suppress(IntegrityError):
            return _save_at_once(user, drafts, known_kinds, now, for_all)
    return _save_at_once(user, drafts, known_kinds, now, for_all)


def _save_at_once(
    user: User,
    drafts: Sequence[Draft],
    known_kinds: Mapping[str, Kind],
    now: datetime | None,
    for_all: Callable[[Sequence[Draft], Callable[[Draft], Task]], list[Task]],
    *,
    remembered: bool = False,
) -> list[Task]:
    """`now`: None if they are to be due as they are saved. Raises kinds.Moved, only when the kinds are `remembered`."""
    known = keys.known(user, drafts)
    queues = names.known() if any(draft.queue is not None for draft in drafts) else ()

    def make(draft: Draft) -> Task:
        key, digest = draft.idempotency_key, keys.digest(draft) if draft.idempotency_key else ""
        if key and key in known:
            keys.check(known[key], digest)
            known[key].existed = True
            return known[key]
        task = _task(user, cleaned(draft, known_kinds, now, user, queues), known_kinds[draft.kind], digest, now)
        if key:
            known[key] = task
        return task

    tasks = for_all(drafts, make)
    if new := [task for task in tasks if not task.existed]:
        quota.check(user, len(new))
        saving.save(user, new, known_kinds[new[0].kind] if remembered else None)
    return tasks


def _task(user: User, draft: Draft, kind: Kind, request_digest: str, now: datetime | None) -> Task:
    waits = bool(draft.run_at and now and draft.run_at > now)
    values = DEFAULTS | {
        "name": draft.name,
        "kind": draft.kind,
        "params": draft.params,
        "queue": kind.queue if draft.queue is None else draft.queue,
        "priority": draft.priority,
        "reason": Reason.SCHEDULED if waits else "",
        "max_attempts": draft.max_attempts or kind.max_attempts,
        "max_crashes": kind.max_crashes,
        "retry_seconds": kind.retry_seconds,
        "timeout_seconds": draft.timeout_seconds or kind.timeout_seconds,
        "idempotency_key": draft.idempotency_key,
        "request_digest": request_digest,
        "cloned_from": draft.cloned_from,
        "created_by_id": user.pk,
        "created_at": now,
        "run_at": draft.run_at,
        "dispatch_at": draft.run_at if waits else now,
    }
    # As Django unpickles one: a tenth of the time of Task(...), which is half of what a task costs here.
    state = ModelState.__new__(ModelState)
    state.__dict__ = {"adding": False, "db": DEFAULT_DB_ALIAS, "fields_cache": {"created_by": user}}
    task = Task.__new__(Task)
    values["_state"] = state
    task.__dict__ = values
    return task


DEFAULTS = {field.attname: field.get_default() for field in Task._meta.concrete_fields}  # noqa: SLF001


def _act(
    user: User,
    numbers: Sequence[int],
    allowed: Collection[Status],
    refusal: str,
    carry_out: Callable[[Sequence[Task], datetime], None],
    *,
    act: str,
    closed: Collection[str] = (),
    everybodys: bool = False,
    gone: bool = False,
    details: str = "",
) -> Act:
    """`act`, `details`: for the audit log. `closed`: kinds of which this person may have no task run.

    `everybodys`: also what they may not see. `gone`: that is what the tasks are afterwards.
    """
    writes = may_write(user)
    storable = [number for number in numbers if 0 < number <= BIGGEST_ID]
    columns = ("id", "kind", "attempt", "status", "dispatch_at", "handed_at", "created_by")
    with transaction.atomic():
        mine = Task.objects.all() if everybodys else Task.objects.visible_to(user)
        meant = mine.filter(id__in=storable).order_by("id").only(*columns)
        tasks = list(meant.select_for_update(of=("self",)))
        forbidden = {task.pk for task in tasks if not writes or task.kind in closed}
        fit = [task for task in tasks if task.status in allowed and task.pk not in forbidden]
        if fit:
            carry_out(fit, database_now())
            many = ", ".join(str(task.pk) for task in fit[:MOST_NAMED]) if len(fit) > 1 else ""
            said = ": ".join(filter(None, [details, many]))
            note(act, f"task {fit[0].pk}", user=user, count=len(fit), details=said)
            tick([] if gone else [task.pk for task in fit], {task.pk: task.created_by_id for task in fit if gone})
            transaction.on_commit(wake.relay, robust=True)
    refused = {
        task.pk: f"Task {task.pk} {refusal.format(status=Status(task.status).label.lower())}."
        for task in tasks
        if task.status not in allowed
    }
    if forbidden:
        refuse(act, f"task {min(forbidden)}", user=user, details=details)
    refused |= {number: f"Task {number} {no_code() if writes else STAYS}." for number in forbidden}
    return Act(done=[task.pk for task in fit], refused=refused, forbidden=forbidden)


def _cancel(tasks: Sequence[Task], now: datetime) -> None:
    _tell_workers(tasks, now)
    rows = [("", now, None, task.pk, task.attempt) for task in tasks]
    Task.objects.take(CANCEL, ("reason", "finished_at", "dispatch_at"), rows)
    attempts = Attempt.objects.filter(task__in=[task.pk for task in tasks])
    attempts.filter(status=Status.RUNNING).update(status=Status.CANCELLED, finished_at=now)
    attempts.filter(status=Status.QUEUEING).update(status=Status.CANCELLED)  # it had come back before


def _retry(tasks: Sequence[Task], now: datetime) -> None:
    afresh = {
        "reason": "", "worker": "", "value": None, "value_text": "", "result": None, "errors": 0, "crashes": 0,
        "run_at": now, "dispatch_at": now, "handed_at": None, "started_at": None, "finished_at": None,
        "run_seconds": None, "cause": None,
    }  # fmt: skip
    Task.objects.take(RETRY, tuple(afresh), [(*afresh.values(), task.pk, task.attempt) for task in tasks])


def _delete(tasks: Sequence[Task], now: datetime) -> None:
    _tell_workers([task for task in tasks if task.status not in FINAL], now)
    ids = [task.pk for task in tasks]
    files = artifacts.files_of(ids)
    Task.objects.filter(id__in=ids).delete()
    if files:
        transaction.on_commit(partial(artifacts.sweep_files, files), robust=True)


def _tell_workers(tasks: Sequence[Task], now: datetime) -> None:
    """Of those that the broker or a worker has, or that the relay may be handing over at this moment."""
    out = [task for task in tasks if task.handed_at or task.dispatch_at is None or task.dispatch_at <= now]
    CancelledAttempt.objects.add(((task.pk, task.attempt) for task in out), now)
