"""PUBLIC. When to flush: at once when idle (lowest latency), at a steady rate when busy (large batches)."""

import asyncio
import time

SEVERAL = range(3, 100)  # fewer are somebody who waits for each; of more it is not the batch that costs


class Pace:
    """A small token bucket: `burst` flushes may follow each other at once, then one every `gap_seconds`.

    One every `gap_of_several` while each carries several: to all behind it a batch then costs more than its parts.
    """

    def __init__(self, gap_seconds: float, gap_of_several: float | None = None, burst: int = 8) -> None:
        self._gap = self._usual_gap = gap_seconds
        self._gap_of_several = gap_seconds if gap_of_several is None else gap_of_several
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

    def carried(self, count: int) -> None:
        """So many went with the last flush."""
        self._refill()
        self._gap = self._gap_of_several if count in SEVERAL else self._usual_gap

    def _refill(self) -> None:
        now = time.monotonic()
        gained = (now - self._refilled_at) / self._gap if self._gap else self._burst
        self._tokens = min(self._burst, self._tokens + gained)
        self._refilled_at = now
