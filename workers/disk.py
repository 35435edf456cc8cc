"""Keeps a worker from beginning tasks while the disk of its temporary folder is nearly full; what runs goes on.

This comes before RabbitMQ (200 MB) and the database stop: with room again, all go on by themselves.
"""

import asyncio
import shutil
from pathlib import Path

from workers.log import get_logger
from workers.slots import Slots

NEEDED_BYTES = 500_000_000
NEEDED_PART = 4  # of a small disk, such as /tmp in memory, a quarter is enough
RELIEF = 1.1  # so much more is there before it is over, or a task that writes and deletes ends it each time
LOOK_SECONDS = 3.0
DISK = "room on the disk"

log = get_logger()


async def watch(slots: Slots) -> None:
    """For ever."""
    folder = Path(slots.template.folder).parent
    full = False
    while True:
        free, needed = _look(folder)
        if not full and free < needed:
            full = True
            slots.lack(DISK)
            log.warning(
                "disk.full",
                text="takes no task for now: the disk of {folder} has {free} MB left, less than {needed} MB",
                folder=folder,
                free=free // 1_000_000,
                needed=needed // 1_000_000,
            )
        elif full and free >= RELIEF * needed:
            full = False
            slots.lack_no_more(DISK)
            log.info("disk.freed", text="takes tasks again: the disk of {folder} has room", folder=folder)
        await asyncio.sleep(LOOK_SECONDS)


def _look(folder: Path) -> tuple[int, int]:
    """Free bytes, and how many are needed. A folder that cannot be looked at is told by what wants to write there."""
    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return NEEDED_BYTES * 2, NEEDED_BYTES
    return disk.free, min(NEEDED_BYTES, disk.total // NEEDED_PART)
