"""How long it takes after a fault until the next task has ended."""

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tests.chaos.books import Fault
from tests.chaos.invariants import Broken

SECONDS, OF_ALL_SECONDS = 10.0, 30.0  # after a fault of one process, of the broker or everything
ENOUGH = 10  # of fewer a percentile says nothing


def recoveries(faults: Sequence[Fault], finished: Sequence[float]) -> Iterator[tuple[Fault, float]]:
    """Of each fault during whose recovery nothing else was amiss, while there was work. Both by the monotonic clock."""
    for fault in faults:
        at = bisect_right(finished, fault.ended)
        if at == len(finished):
            continue
        until = finished[at]
        alone = not any(each is not fault and each.began < until and each.ended > fault.began for each in faults)
        if alone:
            yield fault, until - fault.ended


def too_slow(found: Sequence[tuple[Fault, float]]) -> Iterator[Broken]:
    """When more than one in twenty took longer than is promised; on a machine with other work that is longer."""
    share = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    slow = [
        (fault.code, round(seconds, 1))
        for fault, seconds in found
        if seconds > share * (OF_ALL_SECONDS if fault.heals_in > SECONDS else SECONDS)
    ]
    if len(found) >= ENOUGH and len(slow) > len(found) / 20:
        yield Broken("I12 recovery", "", f"{len(slow)} of {len(found)} took too long: {slow[:10]}")
