"""The page of failures as one person looks at it, and what of it must be sent when something has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.cache import cache

from apps.tasks import failures, live
from apps.tasks.clock import database_now, ticks
from apps.tasks.failures import COUNT_CAP, HOUR, MOST_CAUSES, hour_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    from apps.tasks.failures import Found, Group

KEPT_SECONDS = 600
AGAIN_AFTER = timedelta(seconds=1)  # while tasks fail all the time, for each who looks


@dataclass(frozen=True, slots=True)
class Row:
    """A group as the table shows it."""

    group: Group

    @property
    def key(self) -> int:
        """Its number in the tag."""
        return int(self.group.key, 16)

    @property
    def shown(self) -> str:
        """What of the group the person sees when they act on it, read again by `failure_acts.Shown`."""
        return f"{self.group.count}@{self.group.last_at.isoformat()}"

    @property
    def tasks(self) -> str:
        """ "1 task", "more than 10,000 tasks"."""
        count = self.group.count
        return f"more than {COUNT_CAP:,} tasks" if count > COUNT_CAP else f"{count:,} task{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    rows: list[Row]
    causes: int
    now: datetime

    @property
    def left_out(self) -> int:
        return self.causes - len(self.rows)

    @property
    def is_exact(self) -> bool:
        """Whether all causes were looked at."""
        return self.causes <= MOST_CAUSES

    @property
    def tasks(self) -> int:
        """Of those shown."""
        return sum(min(row.group.count, COUNT_CAP) for row in self.rows)

    @property
    def has_more(self) -> bool:
        return bool(self.left_out) or any(row.group.count > COUNT_CAP for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of the page must be sent: `rows` alone when there are the same groups in the same order, else `all_rows`."""

    summary: bool
    all_rows: bool
    rows: list[Row]

    def __bool__(self) -> bool:
        return bool(self.summary or self.all_rows or self.rows)


def look(user: User) -> tuple[Table, live.Tag]:
    """The table now, with its tag, whose parts are those of `changes`."""
    now = database_now()
    tick, found = _found(user, now)
    table = Table(rows=[Row(group) for group in found.groups], causes=found.causes, now=now)
    return table, live.Tag(
        ticks=tick,
        until=live.until(hour_of(now) + HOUR),  # the bars move on
        view=view_of(user),
        parts=(live.rhythm(moving=False), live.digest(table.tasks, table.causes, table.has_more)),
        rows={row.key: live.digest(row.group) for row in table.rows},
    )


def changes(table: Table, tag: live.Tag, before: live.Tag | None) -> Changes:
    """The difference of the table, whose tag is `tag`, from what the browser has."""
    if before is None or len(before.parts) != len(tag.parts):
        return Changes(summary=True, all_rows=True, rows=[])
    all_rows = list(tag.rows) != list(before.rows)
    changed = [row for row in table.rows if tag.rows[row.key] != before.rows.get(row.key)]
    return Changes(summary=tag.parts != before.parts, all_rows=all_rows, rows=[] if all_rows else changed)


def view_of(user: User) -> str:
    return live.digest("failures", user.pk, user.is_staff)


def _found(user: User, now: datetime) -> tuple[int, Found]:
    """What is there, and the tick of which that is true: of this moment, or of less than a second ago."""
    tick, name = ticks(), f"failures-{'all' if user.is_staff else user.pk}"
    kept: tuple[int, datetime, Found] | None = cache.get(name)
    if kept and hour_of(kept[1]) == hour_of(now) and (kept[0] == tick or now - kept[1] < AGAIN_AFTER):
        return kept[0], kept[2]
    found = failures.find(user, now)
    cache.set(name, (tick, now, found), KEPT_SECONDS)
    return tick, found


def forget(user: User) -> None:
    """Whoever has acted sees at once what became of it."""
    cache.delete(f"failures-{'all' if user.is_staff else user.pk}")
