"""The page of workers as one person looks at it: who is there, what each runs now, who has gone silent."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from apps.accounts.permissions import may_operate
from apps.queues import environments, running
from apps.queues.heartbeats import MOST_QUEUES
from apps.queues.models import Order, Worker
from apps.queues.running import Runs
from apps.tasks import live, rosters
from apps.tasks.clock import database_now, ticks

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apps.queues.environments import Summary

MOST_ALIVE = 200
MOST_LOST = 20
QUEUES_IN_SIGHT = 4  # the others fold away
MOST_NOTES = 5
LATE_AFTER = timedelta(seconds=10)  # a heartbeat comes every 5 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A worker as the table shows it."""

    worker: Worker
    is_lost: bool
    is_late: bool  # its heartbeat is overdue: from then on its age is shown
    used: int  # slots
    runs: Runs
    environment: Summary | None

    @property
    def key(self) -> int:
        """Its name as a number that may stand in an element's id."""
        return int.from_bytes(hashlib.blake2b(self.worker.name.encode(), digest_size=5).digest())

    @property
    def element(self) -> str:
        return f"worker-{self.key}"

    @property
    def look(self) -> str:
        """The chip's class."""
        if self.is_lost:
            return "stranded"
        if self.worker.draining:
            return "cancelled"
        return "running" if self.used else "queueing"

    @property
    def word(self) -> str:
        if self.look == "cancelled" and self.worker.order == Order.DRAIN:
            return "Draining" if self.used else "Drained"
        return {"stranded": "Lost", "cancelled": "Stopping", "running": "Working", "queueing": "Idle"}[self.look]

    @property
    def told(self) -> str:
        """What it was told, by whom, and whether it has heard that."""
        worker = self.worker
        if not (worker.order or worker.draining) or self.is_lost:
            return ""
        if worker.draining and worker.order:
            return f"by {worker.ordered_by.username}" if worker.ordered_by else ""
        if worker.order:
            return "told to drain" if worker.order == Order.DRAIN else "told to stop"
        return ""

    @property
    def queues(self) -> list[str]:
        return [queue[:100] for queue in self.worker.queues[:QUEUES_IN_SIGHT]]

    @property
    def more_queues(self) -> list[str]:
        return [queue[:100] for queue in self.worker.queues[QUEUES_IN_SIGHT:MOST_QUEUES]]


@dataclass(frozen=True, slots=True)
class Note:
    """What the sandboxes of some workers lack."""

    level: str
    missing: tuple[str, ...]
    fix: str
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    alive: list[Row]
    lost: list[Row]  # the last first
    left_out: bool  # of those alive
    lost_left_out: bool
    may_operate: bool
    now: datetime

    @property
    def rows(self) -> list[Row]:
        return [*self.alive, *self.lost]

    @property
    def slots(self) -> int:
        return sum(row.worker.concurrency for row in self.alive)

    @property
    def used(self) -> int:
        return sum(row.used for row in self.alive)

    @property
    def notes(self) -> list[Note]:
        """What most of them lack first."""
        known = [row.environment for row in self.alive if row.environment and row.environment.sandbox]
        lacks = Counter((each.sandbox, each.missing, each.fix) for each in known if each.missing or each.is_less)
        return [Note(*lack, workers=count) for lack, count in lacks.most_common(MOST_NOTES)]


def reported() -> tuple[list[Worker], list[Worker]]:
    """Those alive, in an order that stays, and those lost, the last first; of each at most one more than is shown."""
    # The lost first: one that comes back in between is seen twice then, not nowhere.
    lost = list(
        Worker.objects.lost()
        .select_related("ordered_by")
        .defer("kinds")
        .order_by("-last_seen_at", "name")[: MOST_LOST + 1]
    )
    alive = list(
        Worker.objects.alive()
        .select_related("ordered_by")
        .defer("kinds")
        .order_by("host", "started_at", "name")[: MOST_ALIVE + 1]
    )
    back = {worker.name for worker in alive}
    return alive, [worker for worker in lost if worker.name not in back]


def read(user: User) -> Table:
    alive, lost = reported()
    shown = [*alive[:MOST_ALIVE], *lost[:MOST_LOST]]
    now = database_now()
    busy = running.counts(shown)
    brief = running.brief(alive)
    runs = running.runs(shown, busy, user)
    installed = environments.summaries({worker.environment_id for worker in shown if worker.environment_id})

    def row(worker: Worker, *, is_lost: bool) -> Row:
        return Row(
            worker=worker,
            is_lost=is_lost,
            is_late=worker.last_seen_at < now - LATE_AFTER,
            used=0 if is_lost else min(busy[worker.name] + brief[worker.name], worker.concurrency),
            runs=runs.get(worker.name, Runs()),
            environment=installed.get(worker.environment_id or ""),
        )

    return Table(
        alive=[row(worker, is_lost=False) for worker in alive[:MOST_ALIVE]],
        lost=[row(worker, is_lost=True) for worker in lost[:MOST_LOST]],
        left_out=len(alive) > MOST_ALIVE,
        lost_left_out=len(lost) > MOST_LOST,
        may_operate=may_operate(user),
        now=now,
    )


def look(user: User) -> tuple[Table, live.Tag]:
    """The table now, with its tag."""
    tick = ticks()
    table = read(user)
    # A heartbeat moves no tick: whether it changes anything is looked up once a second.
    return table, rosters.tag(
        ticks=tick,
        until=live.until(table.now),
        view=view_of(user),
        moving=bool(table.used),
        frame=(bool(table.alive), len(table.lost), table.left_out, table.lost_left_out, table.may_operate),
        parts=[(len(table.alive), table.used, table.slots, table.left_out), table.notes],
        rows={row.key: _row(row) for row in table.rows},
    )


def view_of(user: User) -> str:
    return live.digest("workers", user.pk, user.is_staff)


def _row(row: Row) -> str:
    worker = row.worker
    return live.digest(
        row.word,
        row.told,
        worker.order,
        row.used,
        row.runs,
        row.environment,
        worker.queues,
        worker.concurrency,
        # While it is on time it says "just now", and no heartbeat changes that.
        worker.last_seen_at if row.is_late else None,
    )
