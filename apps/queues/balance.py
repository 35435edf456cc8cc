"""The balance: what the database counts against what the broker holds, and each difference in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from apps.queues import broker_looks, pauses
from apps.queues.figures import COUNT_CAP
from workers.broker import ARTIFACTS, BAD, DEAD, OUTCOMES

if TYPE_CHECKING:
    from datetime import datetime

    from apps.queues.models import BrokerLook

STALE_AFTER = timedelta(seconds=30)
RESCUE = "the reconciler hands {} over again, usually within 75 seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One queue of tasks at one moment. What workers hold RabbitMQ does not tell: it is what is left of the tasks."""

    look: BrokerLook
    is_paused: bool

    @property
    def is_exact(self) -> bool:
        return max(self.look.waiting, self.look.running) <= COUNT_CAP

    @property
    def ready(self) -> int:
        return self.look.ready or 0

    @property
    def handed(self) -> int:
        """Tasks that the broker is to have: ready, or with a worker."""
        return self.look.waiting + self.look.running

    @property
    def held(self) -> int:
        """Derived."""
        return self.look.running + self.taken

    @property
    def taken(self) -> int:
        """Derived: those with workers that have not begun."""
        return max(self.look.waiting - self.ready, 0)

    @property
    def is_odd(self) -> bool:
        """Whether something has to be mended, or will be."""
        return self.look.ready is None or (self._seems_lost and not self.look.consumers)

    @property
    def look_like(self) -> str:
        """The chip's class."""
        if self.is_odd:
            return "stranded"
        return "queueing" if self.taken or self._surplus else "finished"

    @property
    def word(self) -> str:
        return {"stranded": "Differs", "queueing": "Under way", "finished": "Agrees"}[self.look_like]

    @property
    def _surplus(self) -> int:
        return max(self.ready - self.look.waiting, 0)

    @property
    def _seems_lost(self) -> bool:
        return bool(self.look.overdue and not self.ready and not self.is_paused)

    @property
    def said(self) -> str:
        """The difference, what it means, and what mends it."""
        if self.look.ready is None:
            return self._said_of_none()
        if not self.is_exact:
            return f"More than {COUNT_CAP:,}: the two cannot be compared."
        if self._surplus:
            return self._said_of_more(self._surplus)
        if self._seems_lost:
            return self._said_of_lost()
        return self._said_of_taken() if self.taken else "They agree."

    def _said_of_none(self) -> str:
        waiting, it = self.look.waiting, _it(self.look.waiting)
        lost = f" {_tasks(waiting)} to be there: {RESCUE.format(it)}." if waiting else ""
        return f"RabbitMQ has no such queue; the relay makes it again within seconds.{lost}"

    def _said_of_more(self, more: int) -> str:
        return (
            f"{_number(more, 'message')} more than tasks that wait: of tasks that were cancelled or deleted, that began"
            " a moment ago, or that were handed over twice. Workers run none that is not wanted, and clear it away"
            " when it is its turn."
        )

    def _said_of_lost(self) -> str:
        overdue, it = f"{_were(self.look.overdue)} handed over more than a minute ago", _it(self.look.overdue)
        if self.look.consumers:
            return (
                f"{overdue}, not ready and not begun: a busy worker may hold {it}. If none does, {RESCUE.format(it)}."
            )
        return f"{overdue}, neither ready nor with a worker: RabbitMQ has lost {it}; {RESCUE.format(it)}."

    def _said_of_taken(self) -> str:
        return f"{_tasks(self.taken)} with workers already and not begun: taken ahead, next to run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A queue of the broker that all share: how much lies in it, and what that means."""

    title: str
    count: int
    said: str
    is_odd: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """As the relay saw it at `looked_at`; None: it never has."""

    lines: list[Line]
    shared: list[Shared]
    looked_at: datetime | None
    is_stale: bool

    @property
    def odd(self) -> int:
        return sum(line.is_odd for line in self.lines) + sum(each.is_odd for each in self.shared)


def read(now: datetime) -> Balance:
    looks = broker_looks.last()
    paused = pauses.current()
    by_name = {look.name: look for look in looks}
    looked_at = looks[0].looked_at if looks else None
    return Balance(
        lines=[Line(look=look, is_paused=look.queue in paused) for look in looks if look.queue],
        shared=[shared(by_name[name]) for name in _SHARED if name in by_name],
        looked_at=looked_at,
        is_stale=looked_at is not None and now - looked_at > STALE_AFTER,
    )


_SHARED = {
    OUTCOMES: (
        "Outcomes on their way",
        "None waits: the sink keeps up.",
        "The sink records them; if the number grows, the sink or the web is away or behind.",
    ),
    ARTIFACTS: (
        "Pieces of artifacts on their way",
        "None waits.",
        "The sink stores them; if the number grows, it or the web is away or behind.",
    ),
    DEAD: (
        "Given up by RabbitMQ",
        "Nothing was delivered in vain.",
        "Delivered too often in vain. The sink reads them: each task is handed over again, or fails.",
    ),
    BAD: (
        "Parked: nobody could use them",
        "Nothing is parked.",
        "They stay until a person has looked: ./manage.py parked says what is wrong, --forget removes them.",
    ),
}


def shared(look: BrokerLook) -> Shared:
    title, fine, otherwise = _SHARED[look.name]
    if look.ready is None:
        return Shared(title=title, count=0, said="RabbitMQ has no such queue; the relay makes it again.", is_odd=True)
    return Shared(
        title=title,
        count=look.ready,
        said=otherwise if look.ready else fine,
        is_odd=look.name == BAD and look.ready > 0,
    )


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _tasks(count: int) -> str:
    return f"{_number(count, 'task')} {'is' if count == 1 else 'are'}"


def _were(count: int) -> str:
    return f"{_number(count, 'task')} {'was' if count == 1 else 'were'}"


def _it(count: int) -> str:
    return "it" if count == 1 else "them"
