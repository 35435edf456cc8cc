"""Reads of tasks (whose, which, in which order) and the one writer of their status."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from apps.accounts.permissions import may_see_all
from apps.queues.models import Queue
from apps.tasks.batches import among, array, if_still, insert_rows, select_rows, update_rows
from apps.tasks.clock import database_now, now_in_sql
from apps.tasks.cursors import forget_old_plans, keeping, repeating
from apps.tasks.lifecycle import LIVE, Status, Step

if TYPE_CHECKING:
    from datetime import datetime

    from apps.accounts.permissions import Person
    from apps.tasks.models import CancelledAttempt, Task  # noqa: F401 named in base classes below


KEPT = timedelta(days=7)
MOST_FOR_A_NEWCOMER = 10_000
_EACH = "each status"  # stands where they come, until the statement is run


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: Person) -> Self:
        """The tasks this person may see: their own, or all of them."""
        if may_see_all(user):
            return self.all()
        return self.filter(created_by_id=user.pk) if user.pk else self.none()

    def older_than(self, number: int) -> Self:
        """The tasks below `number` in the table, newest first."""
        return self.filter(id__lt=number).order_by("-id")

    def newer_than(self, number: int) -> Self:
        """The tasks above `number` in the table, the nearest first."""
        return self.filter(id__gt=number).order_by("id")

    def counts(self, cap: int = 10_000, statuses: Collection[Status] = tuple(Status)) -> dict[Status, int]:
        """Tasks per status, counted up to `cap + 1`: a number above `cap` means "more than `cap`"."""
        try:
            sql, values = self.filter(status=_EACH).order_by().values("pk")[: cap + 1].query.sql_with_params()
        except EmptyResultSet:
            return dict.fromkeys(statuses, 0)
        # One statement, compiled once.
        counts = ", ".join([f"(SELECT count(*) FROM ({sql}) AS these)"] * len(statuses))  # noqa: S608
        given = [status if value == _EACH else value for status in statuses for value in values]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {counts or 0}", given)
            return dict(zip(statuses, cursor.fetchone(), strict=bool(statuses)))

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
            only_if=f"t.status IN ({listed(step.before)})",
        )

    def hand_over(self, attempts: Sequence[tuple[int, int]], due_until: datetime) -> None:
        """Note that the broker has these (task, attempt): they wait there now, no longer here.

        All were due by `due_until`. One that is due later has come back meanwhile, to be handed over once more: that
        time may have come by now as well.
        """
        now, at = now_in_sql()
        done = f"UPDATE tasks_task AS t SET dispatch_at = NULL, reason = '', handed_at = {now}"  # noqa: S608 no values
        fits = f"t.status IN ({listed(LIVE)})", "(t.dispatch_at IS NULL OR t.dispatch_at <= %s)"
        until = connection.ops.adapt_datetimefield_value(due_until)
        forget_old_plans(max(attempts)[0])
        with keeping() as cursor:
            rows = [[*at, *attempt, until] for attempt in attempts]
            each = f"{done} WHERE t.id = %s{if_still(['t.attempt = %s', *fits])}"
            if len(rows) == 1:
                cursor.execute(each, rows[0])
            elif connection.vendor == "sqlite":
                cursor.executemany(each, rows)
            else:
                # Locked in id order, as in `locked`, each before it is changed.
                these = "unnest(%s::bigint[], %s::bigint[]) AS v (id, attempt)"
                lock = f"SELECT v.* FROM {these} JOIN tasks_task t USING (id) ORDER BY id FOR NO KEY UPDATE OF t"  # noqa: S608 no values
                columns = list(map(array, zip(*attempts, strict=True)))
                where = f"WHERE t.id = v.id{if_still(['t.attempt = v.attempt', *fits], 'v.id')}"
                cursor.execute(f"WITH v AS ({lock}) {done} FROM v {where}", [*columns, until])

    def hand_over_again(self, attempts: Sequence[tuple[int, int]]) -> None:
        """Have the relay hand these (task, attempt) over once more: what the broker had of them may be lost."""
        _, now = self.locked([task for task, _ in attempts], ("id",))
        update_rows(
            self.model,
            keys=("id", "attempt"),
            columns=("dispatch_at",),
            rows=[(now, *attempt) for attempt in attempts],
            only_if=f"t.status IN ({listed(LIVE)}) AND t.dispatch_at IS NULL",
        )

    def locked(self, numbers: Collection[int], columns: Sequence[str]) -> tuple[list[Any], datetime]:
        """The values of `columns` of these tasks' rows, which nobody else changes until the transaction ends; and now.

        The first column is to be the id. In id order, and so for all who lock many: else PostgreSQL would meet
        deadlocks.
        """
        if not numbers:
            return [], database_now()
        these, values = among("t.id", numbers)
        if connection.vendor == "sqlite":  # it has one writer at a time
            return select_rows(self.model, columns, f"WHERE {these} ORDER BY t.id", values), database_now()
        more = f"WHERE {these} ORDER BY t.id FOR NO KEY UPDATE"
        rows = select_rows(self.model, columns, more, values, made=["clock_timestamp()"], asked=keeping)
        if not rows:
            return [], database_now()
        forget_old_plans(rows[-1][0])
        return [row[:-1] for row in rows], rows[0][-1]


def counted(owner: int | None, statuses: Collection[Status], cap: int) -> dict[Status, int]:
    """The `counts` of all tasks or of one owner's, without Django: each poll to which something has changed asks."""
    if not statuses:
        return {}
    own, whose = ("", []) if owner is None else (" AND t.created_by_id = %s", [owner])
    # The status as part of the text, so that the plan that is kept is one for it.
    some = f"SELECT 1 FROM tasks_task t WHERE t.status = '{{}}'{own} LIMIT {cap + 1:d}"  # noqa: S608 a status of ours
    counts = [f"(SELECT count(*) FROM ({some.format(status)}) AS these)" for status in statuses]  # noqa: S608 as above
    with keeping() if owner is None else repeating() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", whose * len(statuses))
        return dict(zip(statuses, cursor.fetchone(), strict=True))


class CancelledAttemptQuerySet(models.QuerySet["CancelledAttempt"]):
    def add(self, attempts: Iterable[tuple[int, int]], now: datetime) -> None:
        """These (task, attempt) are not to be run."""
        rows = [(task, attempt, now) for task, attempt in attempts]
        if rows:
            insert_rows(self.model, ("task", "attempt", "cancelled_at"), rows)

    def untold(self, most: int) -> dict[int, tuple[int, int]]:
        """(task, attempt) of which the workers are yet to be told, by the id under which to mark them."""
        rows = select_rows(
            self.model, ("id", "task", "attempt"), "WHERE t.told_at IS NULL ORDER BY t.id LIMIT %s", [most]
        )
        return {id_: (task, attempt) for id_, task, attempt in rows}

    def told(self, ids: Collection[int]) -> None:
        """Note that every connected worker has been told of them; forget those that no broker can still hold."""
        now = database_now()
        self.filter(id__in=ids).update(told_at=now)
        if not Queue.objects.paused().exists():  # of such a one the broker keeps what it has
            self.filter(cancelled_at__lt=now - KEPT).delete()

    def to_tell_a_newcomer(self) -> list[tuple[int, int]]:
        """(task, attempt) whose messages the broker may still hold, the newest first."""
        return list(self.order_by("-id").values_list("task", "attempt")[:MOST_FOR_A_NEWCOMER])


def listed(statuses: Iterable[Status]) -> str:
    """As SQL has them between the brackets of IN."""
    return ", ".join(f"'{status}'" for status in sorted(statuses))
