"""How many changes somebody may make over GraphQL in a minute, counted in memory by each web process for itself."""

from __future__ import annotations

import math
import threading
import time

MOST_KNOWN = 10_000


class Rates:
    """A bucket for each person: it holds what a minute allows, and fills again all the time."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, float]] = {}  # what is left, and when it was
        self._lock = threading.Lock()  # the web has threads

    def take(self, person: int, count: int, per_minute: int) -> int:
        """0: so many are counted. Else the seconds to wait, and none is. More than a minute's need a full bucket."""
        now = time.monotonic()
        with self._lock:
            if len(self._known) > MOST_KNOWN:
                self._forget(now)
            left, at = self._known.get(person, (float(per_minute), now))
            left = min(left + (now - at) * per_minute / 60, float(per_minute))
            missing = min(count, per_minute) - left
            if missing > 0:
                return math.ceil(missing * 60 / per_minute)
            self._known[person] = left - count, now
        return 0

    def clear(self) -> None:
        self._known.clear()

    def _forget(self, now: float) -> None:
        """Those whose buckets must be full again, after a minute: all but who took more than there was."""
        self._known = {person: (left, at) for person, (left, at) in self._known.items() if now - at < 60 or left < 0}


mutations = Rates()
