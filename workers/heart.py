"""The worker's sign of life: at once after a connect, then every 5 s; with kinds and environment once a minute."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from workers.messages import Heartbeat
from workers.publisher import Publisher
from workers.reporter import Reporter

BEAT_SECONDS = 5.0
FULL_EVERY = 12


async def beat(publisher: Publisher, reporter: Reporter, describe: Callable[[bool], Heartbeat]) -> None:
    """`describe(full)` makes the heartbeat; full ones carry kinds and environment."""
    count = 0
    while True:
        await publisher.ready()
        if publisher.reconnected.is_set():
            publisher.reconnected.clear()
            count = 0
        if await reporter.beat(describe(count % FULL_EVERY == 0)) or count % FULL_EVERY:
            count += 1  # a full one that did not get through is followed by another
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await publisher.reconnected.wait()
        except TimeoutError:
            continue


def memory_bytes() -> int | None:
    """Resident memory of this process; None where there is no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * 4096
