"""How long things took, as small histograms: ten buckets to each power of ten, from a millisecond to eleven days.

A median told from one is the middle of its bucket, and so right to within an eighth.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Spread = Counter[int]  # how many, by bucket

PER_DECADE = 10
FIRST_SECONDS = 0.001
BOUNDS = tuple(FIRST_SECONDS * 10 ** (n / PER_DECADE) for n in range(90))  # upper ones; the last bucket has none


def bucket(seconds: float) -> int:
    return bisect_left(BOUNDS, seconds)


def bucket_sql(seconds: str) -> str:
    """The same of a column, which must have no parameters: seven comparisons, NULL for NULL."""
    return f"CASE WHEN {seconds} IS NULL THEN NULL ELSE {_between(seconds, 0, len(BOUNDS))} END"


def _between(seconds: str, low: int, high: int) -> str:
    if low == high:
        return str(low)
    middle = (low + high) // 2
    below, above = _between(seconds, low, middle), _between(seconds, middle + 1, high)
    return f"CASE WHEN {seconds} <= {BOUNDS[middle]!r} THEN {below} ELSE {above} END"


def seconds_at(spread: Mapping[int, int], share: float) -> float | None:
    """How long it took at most for this share of them: 0.5 is the median. None: there are none."""
    left = math.ceil(share * sum(spread.values()))
    for at in sorted(spread):
        left -= spread[at]
        if left <= 0 < spread[at]:
            return _middle(at)
    return None


def _middle(at: int) -> float:
    half = 10 ** (0.5 / PER_DECADE)
    return BOUNDS[at] / half if at < len(BOUNDS) else BOUNDS[-1] * half


def packed(spread: Mapping[int, int]) -> dict[str, int]:
    """As JSON keeps it."""
    return {str(at): count for at, count in sorted(spread.items())}


def unpacked(data: Mapping[str, int]) -> Spread:
    return Counter({int(at): count for at, count in data.items()})
