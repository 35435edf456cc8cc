"""The page of one cause as one person looks at it: its group, and the tasks that failed last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.tasks import failure_table, failures, live, rosters
from apps.tasks.clock import database_now
from apps.tasks.failures import HOUR, hour_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

MOST_TASKS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task of the group."""

    number: int
    name: str
    kind: str
    queue: str
    attempt: int
    finished_at: datetime

    @property
    def key(self) -> int:
        return self.number

    @property
    def element(self) -> str:
        return f"failed-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`summary` is None when no task of the cause is left: its address may have been kept."""

    summary: failure_table.Row | None
    rows: list[Row]
    now: datetime

    @property
    def has_more(self) -> bool:
        return self.summary is not None and self.summary.group.count > len(self.rows)


def look(user: User, cause: str) -> tuple[Table, live.Tag]:
    """The table now, with its tag."""
    now = database_now()
    tick, (group, rows) = failure_table.lately(
        user, cause, now, lambda: (failures.one(user, cause), _rows(user, cause))
    )
    table = Table(summary=failure_table.Row(group) if group else None, rows=rows, now=now)
    return table, rosters.tag(
        ticks=tick,
        until=live.until(hour_of(now) + HOUR),  # the bars move on
        view=view_of(user, cause),
        moving=False,
        frame=table.has_more and group,
        parts=[table.summary and table.summary.shown, group],
        rows={row.key: live.digest(row) for row in rows},
    )


def view_of(user: User, cause: str) -> str:
    return live.digest("failures", user.pk, user.is_staff, cause)


def _rows(user: User, cause: str) -> list[Row]:
    columns = ("id", "name", "kind", "queue", "attempt", "finished_at")
    tasks = failures.of_cause(user, cause).order_by("-finished_at", "-id").only(*columns)[:MOST_TASKS]
    return [
        Row(
            number=task.pk,
            name=task.name,
            kind=task.kind,
            queue=task.queue,
            attempt=task.attempt,
            finished_at=task.finished_at,
        )
        for task in tasks
        if task.finished_at
    ]
