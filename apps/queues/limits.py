"""How much of a queue may run at once, and how much of it may begin in a minute, as far as somebody has limited it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Q

from apps.queues.models import Queue
from apps.tasks.drafts import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

Asked = Mapping[str, float | None]  # by the name of the column; None: no limit

MOST_AT_ONCE: Final = 10_000
LEAST_PER_MINUTE, MOST_PER_MINUTE = 0.01, 1_000_000
AT_ONCE = f"Must be a whole number from 1 to {MOST_AT_ONCE:,}, or none for no limit; to have nothing begin, pause it."
PER_MINUTE = f"Must be from {LEAST_PER_MINUTE} to {MOST_PER_MINUTE:,}, or none for no limit."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: there is none."""

    at_once: int | None = None
    per_minute: float | None = None

    def __bool__(self) -> bool:
        return self.at_once is not None or self.per_minute is not None

    def __str__(self) -> str:
        said = [] if self.at_once is None else [f"{self.at_once:,} at once"]
        said += [] if self.per_minute is None else [f"{self.per_minute:,.10g} a minute"]
        return ", ".join(said)


def current() -> dict[str, Limits]:
    """Of those queues that have any."""
    limited = Queue.objects.filter(Q(concurrency_limit__isnull=False) | Q(rate_per_minute__isnull=False))
    rows = limited.values_list("name", "concurrency_limit", "rate_per_minute")
    return {name: Limits(at_once=at_once, per_minute=per_minute) for name, at_once, per_minute in rows}


def problems(asked: Asked) -> Iterator[Problem]:
    at_once, per_minute = asked.get("concurrency_limit"), asked.get("rate_per_minute")
    if at_once is not None and not (1 <= at_once <= MOST_AT_ONCE and at_once == int(at_once)):
        yield Problem(field=("concurrency_limit",), message=AT_ONCE)
    if per_minute is not None and not (math.isfinite(per_minute) and LEAST_PER_MINUTE <= per_minute <= MOST_PER_MINUTE):
        yield Problem(field=("rate_per_minute",), message=PER_MINUTE)
