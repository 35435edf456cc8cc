"""A task that this worker has taken, from its delivery until the broker has its outcome and the delivery is acked."""

from dataclasses import dataclass

from workers.broker import Delivery
from workers.memory import Attempt


@dataclass(slots=True, eq=False)
class Taken:
    """`deliveries`: usually one; the broker hands it over again when the connection that it came by was lost."""

    task: int
    attempt: int
    body: bytes
    deliveries: list[Delivery]
    timeout_seconds: float | None = None
    kind: str = ""
    in_slot: bool = False
    begun_at: float = 0.0
    announced: bool = False
    cancelled: bool = False

    @property
    def key(self) -> Attempt:
        return self.task, self.attempt
