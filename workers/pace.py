"""PUBLIC. When to flush: at once when idle (lowest latency), at a steady rate when busy (large batches)."""

import asyncio
import time


class Pace:
    """A small token bucket: `burst` flushes may follow each other at once, then one every `gap_seconds`."""

    def __init__(self, gap_seconds: float, burst: int = 8) -> None:
        self._gap = gap_seconds
        self._burst = burst
        self._tokens = float(burst)
        self._refilled_at = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """The next flush has to wait."""
        self._refill()
        return self._tokens < 1

    def wait(self) -> float:
        """Seconds until the next flush may start; takes the token for it."""
        self._refill()
        self._tokens -= 1
        return max(0.0, -self._tokens * self._gap)

    async def turn(self) -> None:
        """Returns when the next flush may start."""
        wait = self.wait()
        if wait:
            await asyncio.sleep(wait)

    def _refill(self) -> None:
        now = time.monotonic()
        gained = (now - self._refilled_at) / self._gap if self._gap else self._burst
        self._tokens = min(self._burst, self._tokens + gained)
        self._refilled_at = now
