"""Reads of tasks (whose, which, in which order) and the one writer of their status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from apps.tasks.batches import update_rows
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import LIVE, Status, Step

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from apps.tasks.models import Task  # noqa: F401 named in a base class below

    User = AbstractBaseUser | AnonymousUser


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> Self:
        """The tasks this person may see: their own, or all of them for staff."""
        if getattr(user, "is_staff", False):
            return self.all()
        return self.filter(created_by_id=user.pk) if user.pk else self.none()

    def older_than(self, number: int) -> Self:
        """The tasks below `number` in the table, newest first."""
        return self.filter(id__lt=number).order_by("-id")

    def newer_than(self, number: int) -> Self:
        """The tasks above `number` in the table, the nearest first."""
        return self.filter(id__gt=number).order_by("id")

    def counts(self, cap: int = 10_000) -> dict[Status, int]:
        """Tasks per status, counted up to `cap + 1`: a number above `cap` means "more than `cap`"."""
        return {status: self.filter(status=status).order_by()[: cap + 1].count() for status in Status}

    def take(self, step: Step, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Take a step of the lifecycle by compare-and-set: a row at another attempt or status stays as it is.

        Each row: the values of `columns`, then the task's id and attempt.
        """
        update_rows(
            self.model,
            keys=("id", "attempt"),
            columns=("status", *columns),
            rows=[(step.after, *row) for row in rows],
            raised=("attempt",) if step.next_attempt else (),
            only_if=f"t.status IN ({_listed(step.before)})",
        )

    def hand_over(self, attempts: Sequence[tuple[int, int]]) -> None:
        """Note that the broker has these (task, attempt): they wait there now, no longer here."""
        self._lock(attempts)
        now = database_now()
        update_rows(
            self.model,
            keys=("id", "attempt"),
            columns=("dispatch_at", "reason", "handed_at"),
            rows=[(None, "", now, *attempt) for attempt in attempts],
            only_if=f"t.status IN ({_listed(LIVE)})",
        )

    def hand_over_again(self, attempts: Sequence[tuple[int, int]]) -> None:
        """Have the relay hand these (task, attempt) over once more: what the broker had of them may be lost."""
        self._lock(attempts)
        now = database_now()
        update_rows(
            self.model,
            keys=("id", "attempt"),
            columns=("dispatch_at",),
            rows=[(now, *attempt) for attempt in attempts],
            only_if=f"t.status IN ({_listed(LIVE)}) AND t.dispatch_at IS NULL",
        )

    def cancellations(self, most: int) -> list[tuple[int, int]]:
        """Cancelled (task, attempt) of which the workers are yet to be told."""
        untold = self.filter(status=Status.CANCELLED, dispatch_at__isnull=False).order_by("id")
        return list(untold.values_list("id", "attempt")[:most])

    def told_cancelled(self, attempts: Sequence[tuple[int, int]]) -> None:
        """Note that the workers have been told of these cancelled (task, attempt)."""
        self._lock(attempts)
        update_rows(
            self.model,
            keys=("id", "attempt"),
            columns=("dispatch_at",),
            rows=[(None, *attempt) for attempt in attempts],
            only_if=f"t.status = '{Status.CANCELLED}'",
        )

    def _lock(self, attempts: Sequence[tuple[int, int]]) -> None:
        """In id order, as the recording of events locks them: PostgreSQL would meet deadlocks otherwise."""
        ids = [task for task, _ in attempts]
        list(self.filter(id__in=ids).order_by("id").select_for_update(no_key=True).values_list("id"))


def _listed(statuses: Iterable[Status]) -> str:
    return ", ".join(f"'{status}'" for status in sorted(statuses))
