"""The overview as it is at one moment, and what of it must be sent when something has changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from apps.queues import balance, charts, report, spans
from apps.tasks import live
from apps.tasks.clock import database_now

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from apps.queues.balance import Balance
    from apps.queues.charts import Chart, Mark, Row
    from apps.queues.spans import Past, Reach, Span

RHYTHM = "3s"  # nothing here changes more often: the relay looks at the broker every five seconds
PARTS = {
    "database": "Database",
    "broker": "RabbitMQ",
    "relay": "Relay",
    "sink": "Sink",
    "workers": "Workers",
    "parked": "Parked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the system and how it is, in a sentence."""

    title: str
    is_ok: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class Overview:
    span: Span
    reach: Reach
    health: list[Part]
    balance: Balance
    zone: tzinfo
    now: datetime

    @cached_property
    def past(self) -> Past:
        """Read when it is to be shown."""
        return spans.past(self.span, self.reach)

    @property
    def charts(self) -> list[Chart]:
        return charts.of(self.past, self.zone)

    @property
    def marks(self) -> list[str]:
        return charts.marks(self.past, self.zone)

    @property
    def tips(self) -> list[Mark]:
        return charts.tips(self.past, self.zone)

    @property
    def slot_width(self) -> float:
        return charts.slot_width(self.past)

    @property
    def rows(self) -> list[Row]:
        return charts.rows(self.past, self.zone)

    @property
    def is_well(self) -> bool:
        return all(part.is_ok for part in self.health)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of the page must be sent."""

    health: bool
    past: bool
    balance: bool

    def __bool__(self) -> bool:
        return self.health or self.past or self.balance


def look(span: Span, zone: tzinfo) -> tuple[Overview, live.Tag]:
    """The same for everybody who is signed in, as the page of queues is."""
    now = database_now()
    reach = spans.reach(span, now)
    shown = Overview(span=span, reach=reach, health=_health(), balance=balance.read(now), zone=zone, now=now)
    parts = (
        RHYTHM,
        live.digest(shown.health),
        live.digest(reach),
        live.digest(
            [(line.look.name, line.said, line.handed, line.ready) for line in shown.balance.lines]
            + [shown.balance.shared, shown.balance.looked_at, shown.balance.is_stale]
        ),
    )
    return shown, live.Tag(ticks=0, until=live.NEVER, view=live.digest("overview", span.name, str(zone)), parts=parts)


def changes(tag: live.Tag, before: live.Tag | None) -> Changes:
    if before is None or before.view != tag.view or len(before.parts) != len(tag.parts):
        return Changes(health=True, past=True, balance=True)
    _, health, past, of_balance = (now != then for now, then in zip(tag.parts, before.parts, strict=True))
    return Changes(health=health, past=past, balance=of_balance)


def _health() -> list[Part]:
    told = report.parts()
    return [Part(title=title, is_ok=told[name]["ok"], detail=told[name]["detail"]) for name, title in PARTS.items()]
