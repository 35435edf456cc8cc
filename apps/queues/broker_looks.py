"""What the broker holds, as the relay tells it, beside what the database counts at the same moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Max

from apps.queues import figures
from apps.queues.models import BrokerLook
from apps.tasks.clock import database_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    Held = tuple[int, int]  # ready, consumers

OVERDUE_AFTER = timedelta(seconds=60)  # from then on the reconciler may bring a task back
NAMED = ("queue", "ready", "consumers", "waiting", "overdue", "running", "looked_at")


def note(shared: Mapping[str, Held | None], of_tasks: Mapping[str, tuple[str, Held | None]]) -> None:
    """By the broker's name; `of_tasks` with the name of the queue. None: there is no such queue in the broker."""
    now = database_now()
    counted = figures.handed_over([queue for queue, _ in of_tasks.values()], now - OVERDUE_AFTER)
    looks = [_look(name, "", held) for name, held in shared.items()]
    for name, (queue, held) in of_tasks.items():
        look = _look(name, queue, held)
        look.waiting, look.overdue, look.running = counted[queue]
        looks.append(look)
    for look in looks:
        look.looked_at = now
    BrokerLook.objects.bulk_create(looks, update_conflicts=True, unique_fields=["name"], update_fields=NAMED)


def last() -> list[BrokerLook]:
    """Of the last time that the relay looked, by name."""
    at = BrokerLook.objects.aggregate(at=Max("looked_at"))["at"]
    return list(BrokerLook.objects.filter(looked_at=at).order_by("name")) if at else []


def _look(name: str, queue: str, held: Held | None) -> BrokerLook:
    ready, consumers = held or (None, 0)
    return BrokerLook(name=name, queue=queue, ready=ready, consumers=consumers)
