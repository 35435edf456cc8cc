"""Whether an attempt that failed is followed by another one, and after which pause."""

from __future__ import annotations

import random
from datetime import timedelta

LONGEST_SECONDS = 3_600.0
JITTER = 0.25  # tasks that failed together do not come back together


def pause(failures: int, first_seconds: float) -> timedelta:
    """Before the next attempt, after so many that failed: `first_seconds`, then twice as long each time, to an hour."""
    seconds = min(first_seconds * 2.0 ** min(failures - 1, 30), max(first_seconds, LONGEST_SECONDS))
    return timedelta(seconds=seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
