"""What a worker holds: the attempts that it has taken, and which ones it is not to run though they are delivered."""

from collections.abc import Collection

from workers.memory import Attempt, Memory
from workers.taken import Taken

TOLD = 5_000
CANCELLED = 50_000


class Holdings:
    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._taken: dict[Attempt, Taken] = {}
        self._told = Memory(TOLD)
        self._cancelled = Memory(CANCELLED)

    @property
    def empty(self) -> bool:
        return not self._taken

    @property
    def full(self) -> bool:
        return len(self._taken) >= self._slots

    def attempts(self) -> list[Attempt]:
        return list(self._taken)

    def find(self, attempt: Attempt) -> Taken | None:
        return self._taken.get(attempt)

    def add(self, taken: Taken) -> None:
        self._taken[taken.key] = taken

    def release(self, taken: Taken) -> None:
        self._taken.pop(taken.key, None)

    def is_over(self, attempt: Attempt, *, handed_again: bool) -> bool:
        """Nothing is to be done about it but an ack.

        `handed_again`: the relay has published it anew. Then the broker may have lost the outcome that it had.
        """
        return attempt in self._cancelled or (attempt in self._told and not handed_again)

    def told(self, taken: Taken) -> None:
        """The broker has its outcome, but its delivery could not be acked and comes again, perhaps very soon."""
        self._told.add([taken.key])

    def cancel(self, attempts: Collection[Attempt]) -> list[Taken]:
        """Those of them that are here."""
        self._cancelled.add(attempts)
        return [self._taken[each] for each in attempts if each in self._taken]

    def unbegun(self) -> list[Taken]:
        return [taken for taken in self._taken.values() if not taken.in_slot]

    def excess(self) -> list[Taken]:
        """What came last and has no slot, as far as there are more than slots."""
        too_many = max(0, len(self._taken) - self._slots)
        unbegun = self.unbegun()
        return unbegun[max(0, len(unbegun) - too_many) :]
