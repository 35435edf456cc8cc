"""What the driver has asked for, and what it was told: the side of the books that the product does not keep."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Asked:
    """One task to be created. `ident` goes with it as a parameter and as its name, and stands in the ledger."""

    ident: str
    kind: str
    seed: int
    stretch: float = 1.0
    at: float = 0.0  # seconds after the load's start
    cancel_after: float | None = None
    to_be_retried: bool = False
    twice: bool = False
    numbers: set[int] = field(default_factory=set)  # that were answered; more than one is a broken promise
    tries: int = 0
    cancelled_at: float | None = None  # by the monotonic clock, when the answer was there
    cancel_uncertain: bool = False
    retried: int = 0
    retry_uncertain: bool = False

    @property
    def acknowledged(self) -> bool:
        return bool(self.numbers)

    def input(self) -> dict[str, object]:
        """As `createTasks` takes it."""
        params = {"ident": self.ident, "seed": self.seed, "stretch": self.stretch}
        options = {"idempotencyKey": f"key of {self.ident}"}
        return {"name": self.ident, "kind": self.kind, "params": params, "options": options}
