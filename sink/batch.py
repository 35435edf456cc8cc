"""What goes into one mutation: the messages that have arrived, with their events counted."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from workers.broker import DEAD, OUTCOMES, Delivery
from workers.messages import BadMessage, EventBatch, TaskMessage, Undeliverable, decode_batch, join_batch

MAX_EVENTS = 500
MAX_BYTES = 8_388_608


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message whose outline is in order, with what the web is told of it."""

    source: str
    delivery: Delivery
    body: bytes
    worker: str
    events: Sequence[Any]
    is_canary: bool = False

    @classmethod
    def outcomes(cls, delivery: Delivery) -> Self:
        """From the queue of the outcomes: as it is. Raises BadMessage."""
        data = decode_batch(delivery.body)
        if len(data["events"]) > MAX_EVENTS:
            raise BadMessage(f"more than {MAX_EVENTS} events")
        return cls(
            source=OUTCOMES,
            delivery=delivery,
            body=delivery.body,
            worker=data["worker"],
            events=data["events"],
            is_canary=data.get("canary") is not None,
        )

    @classmethod
    def dead_letter(cls, delivery: Delivery) -> Self:
        """From where the broker puts a task whose deliveries have all failed: an event about it. Raises BadMessage."""
        task = TaskMessage.decode(delivery.body)
        body = EventBatch(worker=DEAD, events=[Undeliverable(task=task.task, attempt=task.attempt)]).encode()
        return cls(source=DEAD, delivery=delivery, body=body, worker=DEAD, events=json.loads(body)["events"])

    def only(self, events: Sequence[Any]) -> bytes:
        """A body like this one with these of its events alone."""
        return join_batch(self.worker, [json.dumps(event).encode() for event in events])


def take_batch(arrived: deque[Arrived]) -> list[Arrived]:
    """Removes from the front what fits into one mutation: at least one message, however large."""
    batch: list[Arrived] = []
    events = size = 0
    while arrived:
        events += len(arrived[0].events)
        size += len(arrived[0].body)
        if batch and (events > MAX_EVENTS or size > MAX_BYTES):
            break
        batch.append(arrived.popleft())
    return batch
