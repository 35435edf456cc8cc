"""What the style guide shows: the real fragments, with rows made up for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from apps.queues import balance, charts, queue_table, spans, spreads
from apps.queues.figures import COUNT_CAP, Figures
from apps.queues.limits import Limits
from apps.queues.models import BrokerLook
from apps.queues.overview import Overview, Part
from apps.queues.pauses import Pause
from apps.tasks import failure_table
from apps.tasks.causes import Cause
from apps.tasks.failures import HOUR_CAP, MOST_CAUSES, Group
from apps.tasks.forms import TaskForm
from apps.tasks.lifecycle import Status
from apps.tasks.models import Kind, Task
from apps.tasks.table import Row
from apps.tasks.window import Window
from workers.broker import ARTIFACTS, BAD, OUTCOMES

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class Specimen:
    """`is_whole`: takes the whole width, so that its two themes stand under each other."""

    name: str
    title: str
    template: str
    is_whole: bool = False


SPECIMENS: Final = (
    Specimen("colours", "Colours", "styleguide/_colours.html"),
    Specimen("sizes", "Sizes and type", "styleguide/_sizes.html"),
    Specimen("icons", "Icons", "styleguide/_icons.html"),
    Specimen("chips", "Chips", "styleguide/_chips.html"),
    Specimen("buttons", "Buttons", "styleguide/_buttons.html"),
    Specimen("form", "Form", "styleguide/_form.html"),
    Specimen("toasts", "Toasts", "styleguide/_toasts.html"),
    Specimen("banners", "Notices and banners", "styleguide/_banners.html"),
    Specimen("empty", "Empty states", "styleguide/_empties.html"),
    Specimen("counts", "Counts", "tasks/_counts.html"),
    Specimen("hour", "The last hour", "styleguide/_hours.html"),
    Specimen("tasks", "Table of tasks", "tasks/_table.html", is_whole=True),
    Specimen("queues", "Table of queues", "queues/_queues.html", is_whole=True),
    Specimen("failures", "Table of failures", "failures/_failures.html", is_whole=True),
    Specimen("health", "Card", "overview/_health_parts.html", is_whole=True),
    Specimen("past", "Charts", "overview/_past.html", is_whole=True),
    Specimen("balance", "Balance", "overview/_balance.html", is_whole=True),
)


def context(user: User) -> dict[str, Any]:
    """For all of them together."""
    now = timezone.now()
    past = _past(now)
    shown = Overview(span=past.span, reach=past.reach, health=_HEALTH, balance=_balance(now), zone=UTC, now=now)
    vars(shown)["past"] = past  # else it would be read
    return {
        **_tokens(),
        "statuses": [Task(status=status) for status in Status],
        "form": _form(user),
        "strip": [{"label": "All", "count": 12_403, "is_chosen": True, "address": ""}, *_strip()],
        "count_cap": COUNT_CAP,
        "cap": COUNT_CAP,
        "hour_cap": HOUR_CAP,
        "most_causes": MOST_CAUSES,
        "hour": charts.small(past),
        "window": Window(),
        "table": SimpleNamespace(rows=_rows(now), matched=0, now=now),
        "heads": [{"name": name, "label": label} for name, label in _HEADS.items()],
        "queues": _queues(now),
        "failures": failure_table.Table(rows=[failure_table.Row(_group(now))], causes=1, now=now),
        "overview": shown,
        "span": past.span,
    }


def _tokens() -> dict[str, Any]:
    tokens = _css("tokens.css")
    declared = re.findall(r"^    --([\w-]+): (.+);$", tokens, re.MULTILINE)
    colours = [(name, value) for name, value in declared if value.startswith("light-dark(")]
    sizes = [(name, value) for name, value in declared if re.fullmatch(r"[\d.]+(rem|px)", value)]
    icons = re.findall(r"^  \.icon-([\w-]+) \{", _css("icons.css"), re.MULTILINE)
    return {"colours": colours, "sizes": sizes, "icons": icons}


def _css(name: str) -> str:
    return (Path(settings.ROOT) / "static" / "css" / name).read_text()


_HEADS: Final = {
    "id": "ID", "name": "Name", "kind": "Kind", "value": "Value", "status": "Status", "created": "Created at",
}  # fmt: skip


def _strip() -> list[dict[str, Any]]:
    counts = {status: count for count, status in zip((4, 2, 12_000, 390, 7), Status, strict=True)}
    return [{"status": each, "label": each.label, "count": n, "address": ""} for each, n in counts.items()]


def _rows(now: datetime) -> list[Row]:
    said: dict[Status, dict[str, Any]] = {
        Status.QUEUEING: {},
        Status.RUNNING: {"progress": 0.4, "progress_text": "4 of 10 files", "started_at": now - timedelta(seconds=9)},
        Status.FINISHED: {"value_text": "0.123456789"},
        Status.FAILED: {"reason": "ERROR"},
        Status.CANCELLED: {},
    }
    return [
        Row(
            task=SimpleNamespace(
                pk=n,
                name=f"A task that is {status.label.lower()}",
                kind="demo.coin",
                status=status,
                created_at=now,
                **{"reason": "", "value_text": "", "progress": None, "result_start": None, "pictures": 0, **more},
            ),
            number=str(n),
            error="ValueError: no convergence" if status == Status.FAILED else "",
            scheduled=False,
            stranded=False,
        )
        for n, (status, more) in enumerate(said.items(), 1)
    ]


def _form(user: User) -> TaskForm:
    """As it comes back when something was wrong."""
    properties = {
        "failure_rate": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.4, "description": "How often."},
        "side": {"enum": ["heads", "tails"]},
        "fair": {"type": "boolean", "default": True},
    }
    kind = Kind(name="demo.coin", doc="Throws a coin.", schema={"type": "object", "properties": properties})
    typed = QueryDict("name=&kind=demo.coin&shown=demo.coin&p.failure_rate=2&p.side=%22heads%22&p.fair=on")
    form = TaskForm({"demo.coin": kind}, typed, bound=True, user=user)
    form.is_valid()
    form.add_error("name", "What it is to be called must stand here.")
    form.add_error("p.failure_rate", "Must be at most 1 (it is 2).")
    return form


def _queues(now: datetime) -> queue_table.Table:
    busy = Figures(due=3, in_broker=4, later=1, running=2, oldest=now - timedelta(seconds=75), created=120, ended=118)
    said = {
        "default": (busy, None, Limits(at_once=4, per_minute=600), 2),
        "gpu": (Figures(due=1, oldest=now - timedelta(hours=2)), None, Limits(), 0),
        "reports": (Figures(), Pause(now - timedelta(minutes=10), "ana"), Limits(), 1),
    }
    rows = [
        queue_table.Row(
            name=name, figures=figures, pause=pause, limits=limits, workers=workers, slots=workers, resting=0, told=""
        )
        for name, (figures, pause, limits, workers) in said.items()
    ]
    return queue_table.Table(rows=rows, left_out=0, may_operate=True, now=now)


def _group(now: datetime) -> Group:
    return Group(
        key="0123456789abcdef",
        cause=Cause("ERROR", "ValueError", "fits.py", "solve", "raise ValueError(steps)"),
        count=17,
        first_at=now - timedelta(hours=20),
        last_at=now,
        sample=4,
        name="A task that is failed",
        message="no convergence after 400 steps",
        kinds=("demo.coin",),
        queues=("default",),
        hours=(*range(12), *range(12, 0, -1)),
    )


_HEALTH: Final = [
    Part(title="Database", is_ok=True, detail="Answers."),
    Part(title="Relay", is_ok=True, detail="Running."),
    Part(
        title="Sink", is_ok=False, detail="The sink gives no sign of life: outcomes wait in RabbitMQ until it is back."
    ),
]


def _past(now: datetime) -> spans.Past:
    start = now.replace(second=0, microsecond=0) - spans.HOUR.length
    slots = [_slot(start + spans.HOUR.step * n, n) for n in range(spans.HOUR.count)]
    end = start + spans.HOUR.length
    reach = spans.Reach(counted_until=end, is_late=False, end=end)
    return spans.Past(span=spans.HOUR, reach=reach, slots=slots)


def _slot(start: datetime, n: int) -> spans.Slot:
    if n % 20 > 16:
        return spans.Slot(start=start)
    waits = spreads.Spread({spreads.bucket(0.02 * (1 + n % 7)): 30, spreads.bucket(0.5 + n / 40): 4})
    counts = {"created": 40 + n % 9, "finished": 30 + n % 7, "failed": n % 4, "cancelled": n % 5 // 4 * 3}
    return spans.Slot(start=start, waits=waits, runs=waits, **counts)


def _balance(now: datetime) -> balance.Balance:
    looks = [
        BrokerLook(name="default", queue="default", ready=4, consumers=2, waiting=4, running=2, looked_at=now),
        BrokerLook(name="gpu", queue="gpu", ready=0, waiting=3, overdue=3, looked_at=now),
    ]
    shared = {OUTCOMES: 0, ARTIFACTS: 12, BAD: 2}
    return balance.Balance(
        lines=[balance.Line(look=look, is_paused=False) for look in looks],
        shared=[balance.shared(BrokerLook(name=name, ready=count)) for name, count in shared.items()],
        looked_at=now,
        is_stale=False,
    )
