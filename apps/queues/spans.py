"""The memory of minutes as charts want it: the last hour by the minute, a day by ten of them, a week by the hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple, Self

from django.core.cache import cache

from apps.queues import minutes
from apps.queues.minutes import MINUTE, SETTLE
from apps.queues.models import Minute
from apps.queues.spreads import Spread, seconds_at, unpacked

KEPT_SECONDS = 3_600
LATE = 2 * MINUTE  # later than that the relay does not count: it is away


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How far back a chart goes, in how many slots of what length. `each`: the word for one."""

    name: str
    label: str
    last: str  # "the last hour"
    each: str
    step: timedelta
    count: int
    marks: int  # on the axis of time, between its ends

    @property
    def length(self) -> timedelta:
        return self.step * self.count


HOUR: Final = Span(
    name="1h", label="1 h", last="the last hour", each="minute", step=timedelta(minutes=1), count=60, marks=4
)
SPANS: Final = {
    "1h": HOUR,
    "24h": Span(
        name="24h", label="24 h", last="the last 24 hours", each="10 minutes", step=timedelta(minutes=10), count=144,
        marks=4,
    ),
    "7d": Span(
        name="7d", label="7 d", last="the last 7 days", each="hour", step=timedelta(hours=1), count=168, marks=7
    ),
}  # fmt: skip


@dataclass(kw_only=True)
class Slot:
    """What happened from `start` on, for one step of a span, in all queues."""

    start: datetime
    created: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    waits: Spread = field(default_factory=Counter)
    runs: Spread = field(default_factory=Counter)

    @property
    def ended(self) -> int:
        return self.finished + self.failed + self.cancelled

    @property
    def has_any(self) -> bool:
        return bool(self.created or self.ended)

    @property
    def failed_share(self) -> float | None:
        """Of those that finished or failed; None when none did."""
        tried = self.finished + self.failed
        return self.failed / tried if tried else None

    @cached_property
    def waited(self) -> Times:
        """Once nothing is added any more, as below."""
        return Times.of(self.waits)

    @cached_property
    def ran(self) -> Times:
        return Times.of(self.runs)

    def add(self, other: Slot) -> None:
        self.created += other.created
        self.finished += other.finished
        self.failed += other.failed
        self.cancelled += other.cancelled
        self.waits.update(other.waits)
        self.runs.update(other.runs)


class Times(NamedTuple):
    """In seconds; None when there are none."""

    median: float | None
    high: float | None  # no more for 95 of 100

    @classmethod
    def of(cls, spread: Spread) -> Self:
        return cls(seconds_at(spread, 0.5), seconds_at(spread, 0.95))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Up to where minutes are counted (None: none is), whether that is overdue, and where a span ends then."""

    counted_until: datetime | None
    is_late: bool
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Past:
    """The slots of a span, the oldest first."""

    span: Span
    reach: Reach
    slots: list[Slot]

    @cached_property
    def total(self) -> Slot:
        total = Slot(start=self.slots[0].start)
        for slot in self.slots:
            total.add(slot)
        return total


def reach(span: Span, now: datetime) -> Reach:
    counted_until = minutes.counted_until()
    over = minutes.minute_of(now - SETTLE)
    is_late = counted_until is None or over - counted_until > LATE
    end = over if counted_until is None or is_late else counted_until
    return Reach(counted_until=counted_until, is_late=is_late, end=_up(end, span.step))


def past(span: Span, at: Reach) -> Past:
    """As it was counted then; read once for each minute that is counted, for everybody who looks."""
    name = f"past-{span.name}"
    kept: Past | None = cache.get(name)
    if kept and kept.reach == at:
        return kept
    start = at.end - span.length
    slots = {start + span.step * n: Slot(start=start + span.step * n) for n in range(span.count)}
    known = {slot.start: slot for slot in (_whole(kept) if kept else ()) if slot.start in slots}
    known = known if start in known else {}  # the clock was put back
    slots |= known
    _fill(slots, span, max([start, *(at + span.step for at in known)]), at.end)
    found = Past(span=span, reach=at, slots=list(slots.values()))
    _work_out(found)
    cache.set(name, found, KEPT_SECONDS)
    return found


def _whole(kept: Past) -> list[Slot]:
    """Those that nothing more comes to."""
    until = kept.reach.counted_until
    return [slot for slot in kept.slots if until and slot.start + kept.span.step <= until]


def _fill(slots: dict[datetime, Slot], span: Span, start: datetime, end: datetime) -> None:
    columns = ("at", "created", "finished", "failed", "cancelled", "waits", "runs")
    busy = Minute.objects.filter(at__gte=start, at__lt=end).exclude(created=0, finished=0, failed=0, cancelled=0)
    spread: dict[datetime, tuple[Counter[str], Counter[str]]] = {}
    # A week of many queues is a hundred thousand rows: nothing is made for each of them.
    for at, created, finished, failed, cancelled, *both in busy.values_list(*columns).iterator():
        slot = slots[_down(at, span.step)]
        slot.created += created
        slot.finished += finished
        slot.failed += failed
        slot.cancelled += cancelled
        for into, counts in zip(spread.setdefault(slot.start, (Counter(), Counter())), both, strict=True):
            for bucket, count in counts.items():
                into[bucket] += count
    for moment, (waits, runs) in spread.items():
        slots[moment].waits, slots[moment].runs = unpacked(waits), unpacked(runs)


def _work_out(past: Past) -> None:
    """What is kept is not worked out again for each who looks."""
    for slot in (past.total, *past.slots):
        _ = slot.waited, slot.ran


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _down(at: datetime, step: timedelta) -> datetime:
    return at - (at - _EPOCH) % step


def _up(at: datetime, step: timedelta) -> datetime:
    return at + (_EPOCH - at) % step
