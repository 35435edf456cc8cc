"""PUBLIC. What a handler may say while it runs.

    from workers.task import progress

    for n, sample in enumerate(samples):
        progress(n / len(samples), "fitting")

Outside of a worker, as in a test of the handler, nothing happens.
"""

import math
import time
from collections.abc import Callable

from workers.messages import MAX_PROGRESS_LENGTH, Progress, encode_event
from workers.raised import clean

QUIET_SECONDS = 0.01
SMALL_STEP = 0.01


def progress(fraction: float | None, text: str = "") -> None:
    """How far the task has come: from 0 to 1, None when that cannot be told; and what it is at.

    It may be called as often as is convenient: what differs little from what was said just before is not sent.
    """
    current.progress(fraction, text)


class Current:
    """The task that runs in this process, for as long as it runs."""

    def __init__(self) -> None:
        self._send: Callable[[bytes], None] | None = None

    def begin(self, task: int, attempt: int, send: Callable[[bytes], None]) -> None:
        """`send` takes an encoded event."""
        self._task, self._attempt, self._send = task, attempt, send
        self._said: tuple[float | None, str] = (None, "")
        self._said_at = -math.inf

    def end(self) -> None:
        self._send = None

    def progress(self, fraction: float | None, text: str) -> None:
        fraction, text = _within_bounds(fraction), clean(str(text), MAX_PROGRESS_LENGTH)
        if self._send is None or self._is_old_news(fraction, text):
            return
        self._said, self._said_at = (fraction, text), time.monotonic()
        self._send(encode_event(Progress(task=self._task, attempt=self._attempt, fraction=fraction, text=text)))

    def _is_old_news(self, fraction: float | None, text: str) -> bool:
        before, text_before = self._said
        step = abs((fraction or 0) - (before or 0))
        return text == text_before and step < SMALL_STEP and time.monotonic() - self._said_at < QUIET_SECONDS


def _within_bounds(fraction: float | None) -> float | None:
    if fraction is None or math.isnan(fraction):
        return None
    return min(1.0, max(0.0, float(fraction)))


current = Current()
