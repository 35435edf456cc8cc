"""What goes into one mutation: the messages that have arrived, as they are, with their events counted."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.broker import Delivery
from workers.messages import BadMessage, decode_batch, join_batch

MAX_EVENTS = 500
MAX_BYTES = 8_388_608


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message whose outline is in order."""

    delivery: Delivery
    worker: str
    events: Sequence[Any]

    @classmethod
    def check(cls, delivery: Delivery) -> "Arrived":
        """Raises BadMessage."""
        data = decode_batch(delivery.body)
        if len(data["events"]) > MAX_EVENTS:
            raise BadMessage(f"more than {MAX_EVENTS} events")
        return cls(delivery, data["worker"], data["events"])

    def only(self, events: Sequence[Any]) -> bytes:
        """A body like this one with these of its events alone."""
        return join_batch(self.worker, [json.dumps(event).encode() for event in events])


def take_batch(arrived: deque[Arrived]) -> list[Arrived]:
    """Removes from the front what fits into one mutation: at least one message, however large."""
    batch: list[Arrived] = []
    events = size = 0
    while arrived:
        events += len(arrived[0].events)
        size += len(arrived[0].delivery.body)
        if batch and (events > MAX_EVENTS or size > MAX_BYTES):
            break
        batch.append(arrived.popleft())
    return batch
