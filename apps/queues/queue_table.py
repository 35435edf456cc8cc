"""The page of queues as one person looks at it: what waits and runs in each, who serves it, which is paused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache

from apps.accounts.permissions import may_operate
from apps.queues import figures, limits, names, pauses, resting
from apps.queues.figures import COUNT_CAP, Figures
from apps.queues.limits import Limits
from apps.queues.models import Worker
from apps.tasks import live, rosters
from apps.tasks.clock import database_now, ticks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.contrib.auth.models import User

    from apps.accounts.permissions import Person
    from apps.queues.pauses import Pause

MOST_QUEUES = 100
FIGURES_SECONDS = 1  # with a million tasks they cost some hundredths of a second, for everybody who looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A queue as the table shows it. `resting`: workers that serve it and take nothing now; `told`: what these are."""

    name: str
    figures: Figures
    pause: Pause | None
    limits: Limits
    workers: int
    slots: int
    resting: int
    told: str

    @property
    def key(self) -> int:
        """Its name as a number that may stand in an element's id."""
        return int.from_bytes(hashlib.blake2b(self.name.encode(), digest_size=5).digest())

    @property
    def element(self) -> str:
        return f"queue-{self.key}"

    @property
    def is_stranded(self) -> bool:
        """Work waits, and nobody takes it; a pause is another cause."""
        return bool(self.figures.waiting and not self.workers)

    @property
    def look(self) -> str:
        """The chip's class."""
        if self.pause:
            return "paused"
        if self.is_stranded:
            return "stranded"
        return "running" if self.figures.running else "queueing"

    @property
    def word(self) -> str:
        words = {"paused": "Paused", "stranded": "Not served", "running": "Working", "queueing": "Idle"}
        return "Waiting" if self.look == "queueing" and self.figures.waiting else words[self.look]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    rows: list[Row]
    left_out: int
    may_operate: bool
    now: datetime

    @property
    def is_moving(self) -> bool:
        return any(row.figures.waiting or row.figures.running for row in self.rows)

    @property
    def has_workers(self) -> bool:
        return any(row.workers or row.resting for row in self.rows)

    @property
    def paused(self) -> int:
        return sum(row.pause is not None for row in self.rows)

    @property
    def waiting(self) -> int:
        return sum(row.figures.waiting for row in self.rows)

    @property
    def running(self) -> int:
        return sum(row.figures.running for row in self.rows)

    @property
    def is_exact(self) -> bool:
        return all(max(row.figures.waiting, row.figures.running) <= COUNT_CAP for row in self.rows)


def read(user: Person) -> Table:
    queues = sorted(names.known())
    shown = queues[:MOST_QUEUES]
    now = database_now()
    counted = cache.get("figures") or {}
    if set(shown) - counted.keys():
        counted = figures.of(shown, now)
        cache.set("figures", counted, FIGURES_SECONDS)
    return Table(
        rows=_rows(shown, counted),
        left_out=len(queues) - len(shown),
        may_operate=may_operate(user),
        now=now,
    )


def row(name: str) -> Row | None:
    """One queue, counted now; None: there is none of this name."""
    return _rows([name], figures.of([name]))[0] if name in names.known() else None


def _rows(queues: list[str], counted: Mapping[str, Figures]) -> list[Row]:
    paused, limited = pauses.current(), limits.current()
    workers = list(Worker.objects.alive().select_related("ordered_by").defer("kinds", "running"))
    taking = [worker for worker in workers if not worker.is_resting]

    def one(name: str) -> Row:
        serving = [worker for worker in taking if name in worker.queues]
        rests = [worker for worker in workers if name in worker.queues and worker.is_resting]
        return Row(
            name=name,
            figures=counted[name],
            pause=paused.get(name),
            limits=limited.get(name, Limits()),
            workers=len(serving),
            slots=sum(worker.concurrency for worker in serving),
            resting=len(rests),
            told=resting.told(rests) if rests else "",
        )

    return [one(name) for name in queues]


def look(user: User) -> tuple[Table, live.Tag]:
    """The table now, with its tag."""
    tick = ticks()
    table = read(user)
    # What came in the last minute, and who is there, change without a tick: looked up once a second.
    return table, rosters.tag(
        ticks=tick,
        until=live.until(table.now),
        view=view_of(user),
        moving=table.is_moving,
        frame=(table.left_out, table.may_operate, table.has_workers),
        parts=[(table.waiting, table.running, table.paused, table.is_exact)],
        rows={row.key: live.digest(row) for row in table.rows},
    )


def view_of(user: User) -> str:
    return live.digest("queues", user.pk)
