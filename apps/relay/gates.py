"""Lets so much a minute through, evenly, and never what was saved up while nothing came."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Gate:
    """`per_minute` attempts; at most those of a second at once, or one."""

    per_minute: float
    _left: float = field(default=1.0, init=False)
    _at: float | None = field(default=None, init=False)

    @property
    def most(self) -> float:
        return max(1.0, self.per_minute / 60)

    def room(self) -> int:
        """For how many it is open now."""
        now = time.monotonic()
        passed = 0.0 if self._at is None else now - self._at
        self._left = min(self.most, self._left + passed * self.per_minute / 60)
        self._at = now
        return int(self._left)

    def passed(self, count: int) -> None:
        self._left -= count
