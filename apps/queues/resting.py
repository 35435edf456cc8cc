"""Workers that take nothing new: what has become of them, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.queues.models import Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.queues.models import Worker

WORDS = {Order.DRAIN.value: "drained", Order.STOP.value: "stopped", "": "draining or stopping"}


def told(workers: Sequence[Worker]) -> str:
    """What all of these are: "drained by ana", "drained or stopped"; by whom, if all were told by one person."""
    orders = {worker.order for worker in workers}
    words = WORDS[orders.pop()] if len(orders) == 1 else "drained or stopped"
    names = {worker.ordered_by.username if worker.ordered_by else "" for worker in workers}
    name = names.pop() if len(names) == 1 else ""
    return f"{words} by {name}" if name else words
