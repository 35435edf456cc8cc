"""What can be done with tasks: create, delete. Pages, mutations and commands all come here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from apps.relay import wake
from apps.tasks.batches import insert_rows
from apps.tasks.clock import database_now, tick
from apps.tasks.drafts import Draft, Problem, Refused, cleaned, for_each
from apps.tasks.lifecycle import DELETABLE, Reason
from apps.tasks.models import Kind, Task
from workers.messages import BIGGEST_ID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.contrib.auth.models import User

MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What a delete did: the numbers that are gone, and why others are not."""

    deleted: list[int]
    refused: dict[int, str]


def create(*, user: User, draft: Draft) -> Task:
    """Raises Refused, with paths that begin at the draft's own fields."""
    kinds = {kind.name: kind for kind in Kind.objects.all()}
    now = database_now()
    return _save(user, [cleaned(draft, kinds, now)], kinds, now)[0]


def create_many(*, user: User, drafts: Sequence[Draft]) -> list[Task]:
    """All of them in one transaction, or none. Raises Refused, with paths that begin with the draft's index."""
    if len(drafts) > MOST_AT_ONCE:
        message = f"At most {MOST_AT_ONCE:,} tasks at once (there are {len(drafts):,})."
        raise Refused([Problem(field=(), message=message, code="LIMIT_REACHED")])
    kinds = {kind.name: kind for kind in Kind.objects.all()}
    now = database_now()
    return _save(user, for_each(drafts, lambda draft: cleaned(draft, kinds, now)), kinds, now)


def delete(*, user: User, numbers: Sequence[int]) -> Deletion:
    """Delete those of the tasks that are this person's and not running.

    Numbers of others' tasks are passed over like numbers of none. A task that was already handed to the broker may
    still run; its outcome is then refused as UNKNOWN_TASK.
    """
    storable = [number for number in numbers if 0 < number <= BIGGEST_ID]
    with transaction.atomic():
        mine = Task.objects.visible_to(user).filter(id__in=storable).order_by("id").select_for_update()
        statuses = dict(mine.values_list("id", "status"))
        refused = {
            n: f"Task {n} is running: it can be deleted once it has ended."
            for n, s in statuses.items()
            if s not in DELETABLE
        }
        deleted = [number for number in statuses if number not in refused]
        Task.objects.filter(id__in=deleted).delete()
        if deleted:
            tick()
    return Deletion(deleted=deleted, refused=refused)


def _save(user: User, drafts: Sequence[Draft], kinds: dict[str, Kind], now: datetime) -> list[Task]:
    if not drafts:
        return []
    with transaction.atomic():
        tasks = [_task(user, draft, kinds[draft.kind].queue, now) for draft in drafts]
        numbers = insert_rows(Task, COLUMNS, [[getattr(task, name) for name in COLUMNS] for task in tasks])
        tick()
        transaction.on_commit(wake.relay, robust=True)  # it is saved by then, whatever becomes of the hint
    for task, number in zip(tasks, numbers, strict=True):
        task.pk = number
    return tasks


def _task(user: User, draft: Draft, queue: str, now: datetime) -> Task:
    waits = draft.run_at is not None and draft.run_at > now
    return Task(
        name=draft.name,
        kind=draft.kind,
        params=draft.params,
        queue=queue,
        reason=Reason.SCHEDULED if waits else "",
        created_by=user,
        created_at=now,
        run_at=draft.run_at,
        dispatch_at=draft.run_at if waits else now,
    )


COLUMNS = tuple(field.attname for field in Task._meta.concrete_fields if field.attname != "id")  # noqa: SLF001
