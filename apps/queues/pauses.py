"""Which queues are paused, since when, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.queues.models import Queue

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pause:
    at: datetime
    by: str  # a name; "" when that person is gone


def current() -> dict[str, Pause]:
    """By queue."""
    paused = Queue.objects.paused().values_list("name", "paused_at", "paused_by__username")
    return {queue: Pause(at, by or "") for queue, at, by in paused if at}
