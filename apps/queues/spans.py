"""The memory of minutes as charts want it: the last hour by the minute, a day by ten of them, a week by the hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from apps.queues import minutes
from apps.queues.minutes import MINUTE, SETTLE
from apps.queues.models import Minute
from apps.queues.spreads import Spread, seconds_at, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@dataclass(slots=True, kw_only=True)
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

    def add(self, other: Slot) -> None:
        self.created += other.created
        self.finished += other.finished
        self.failed += other.failed
        self.cancelled += other.cancelled
        self.waits.update(other.waits)
        self.runs.update(other.runs)

    def wait(self, share: float) -> float | None:
        return seconds_at(self.waits, share)

    def run(self, share: float) -> float | None:
        return seconds_at(self.runs, share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The slots of a span, the oldest first. What begins after `counted_until` is not known yet; None: nothing is."""

    span: Span
    slots: list[Slot]
    counted_until: datetime | None
    is_late: bool

    @property
    def total(self) -> Slot:
        total = Slot(start=self.slots[0].start)
        for slot in self.slots:
            total.add(slot)
        return total

    @property
    def end(self) -> datetime:
        return self.slots[-1].start + self.span.step


def past(span: Span, now: datetime) -> Past:
    """As it was counted up to now; read once for each minute that is counted, for everybody who looks."""
    counted_until = minutes.counted_until()
    over = minutes.minute_of(now - SETTLE)
    is_late = counted_until is None or over - counted_until > LATE
    end = _up(over if counted_until is None or is_late else min(counted_until, over), span.step)
    start = end - span.length
    name = f"past-{span.name}"
    kept: Past | None = cache.get(name)
    if kept and (kept.counted_until, kept.end, kept.is_late) == (counted_until, end, is_late):
        return kept
    slots = {start + span.step * n: Slot(start=start + span.step * n) for n in range(span.count)}
    known = {slot.start: slot for slot in (_whole(kept) if kept else ()) if slot.start in slots}
    known = known if start in known else {}  # the clock was put back
    slots |= known
    for row in _rows(max([start, *(at + span.step for at in known)]), end):
        slots[_down(row.start, span.step)].add(row)
    found = Past(span=span, slots=list(slots.values()), counted_until=counted_until, is_late=is_late)
    cache.set(name, found, KEPT_SECONDS)
    return found


def _whole(kept: Past) -> list[Slot]:
    """Those that nothing more comes to."""
    until = kept.counted_until
    return [slot for slot in kept.slots if until and slot.start + kept.span.step <= until]


def _rows(start: datetime, end: datetime) -> Iterator[Slot]:
    columns = ("at", "created", "finished", "failed", "cancelled", "waits", "runs")
    busy = Minute.objects.filter(at__gte=start, at__lt=end).exclude(created=0, finished=0, failed=0, cancelled=0)
    for at, created, finished, failed, cancelled, waits, runs in busy.values_list(*columns).iterator():
        counts = {"created": created, "finished": finished, "failed": failed, "cancelled": cancelled}
        yield Slot(start=at, **counts, waits=unpacked(waits), runs=unpacked(runs))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _down(at: datetime, step: timedelta) -> datetime:
    return at - (at - _EPOCH) % step


def _up(at: datetime, step: timedelta) -> datetime:
    return at + (_EPOCH - at) % step
