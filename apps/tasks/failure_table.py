"""The page of failures as one person looks at it, and what of it must be sent when something has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from django.core.cache import cache

from apps.accounts.permissions import may_see_all
from apps.tasks import failures, live, rosters
from apps.tasks.clock import database_now, ticks
from apps.tasks.failures import COUNT_CAP, HOUR, MOST_CAUSES, hour_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.contrib.auth.models import User

    from apps.tasks.failures import Group

T = TypeVar("T")
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
    def element(self) -> str:
        return f"failure-{self.group.key}"

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


def look(user: User) -> tuple[Table, live.Tag]:
    """The table now, with its tag."""
    now = database_now()
    tick, found = lately(user, "all", now, lambda: failures.find(user, now))
    table = Table(rows=[Row(group) for group in found.groups], causes=found.causes, now=now)
    return table, rosters.tag(
        ticks=tick,
        until=live.until(hour_of(now) + HOUR),  # the bars move on
        view=view_of(user),
        moving=False,
        frame=(table.left_out, table.is_exact),
        parts=[(table.tasks, table.causes, table.has_more)],
        rows={row.key: live.digest(row.group) for row in table.rows},
    )


def view_of(user: User) -> str:
    return live.digest("failures", user.pk, user.is_staff)


def lately(user: User, what: str, now: datetime, find: Callable[[], T]) -> tuple[int, T]:
    """What is found, and the tick of which that is true: of this moment, or of less than a second ago.

    `what`: of the failures this person may see, for each a name of its own.
    """
    tick, name = ticks(), _name(user, what)
    kept: tuple[int, datetime, T] | None = cache.get(name)
    if kept and hour_of(kept[1]) == hour_of(now) and (kept[0] == tick or now - kept[1] < AGAIN_AFTER):
        return kept[0], kept[2]
    found = find()
    cache.set(name, (tick, now, found), KEPT_SECONDS)
    return tick, found


def forget(user: User, cause: str) -> None:
    """Whoever has acted on a cause sees at once what became of it."""
    cache.delete_many([_name(user, "all"), _name(user, cause)])


def _name(user: User, what: str) -> str:
    return f"failures-{'all' if may_see_all(user) else user.pk}-{what}"
