"""Attempts to remember: as many as fit, the oldest forgotten first."""

from collections.abc import Iterable

Attempt = tuple[int, int]  # task, attempt


class Memory:
    def __init__(self, size: int) -> None:
        self._size = size
        self._attempts: dict[Attempt, None] = {}

    def __contains__(self, attempt: object) -> bool:
        return attempt in self._attempts

    def add(self, attempts: Iterable[Attempt]) -> None:
        for attempt in attempts:
            self._attempts.pop(attempt, None)
            self._attempts[attempt] = None
        while len(self._attempts) > self._size:
            del self._attempts[next(iter(self._attempts))]
