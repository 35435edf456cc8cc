"""A disk that was full, noticed once there is room again."""

import shutil
from collections.abc import Callable
from pathlib import Path

FULL_BYTES = 8_000_000
ROOM_BYTES = 64_000_000


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Disk:
    """Ask often: one that is full for a moment only goes unnoticed."""

    def __init__(self, folder: Path, free: Callable[[Path], int] = free_bytes) -> None:
        self._folder = folder
        self._free = free
        self._was_full = False

    def has_room_again(self) -> bool:
        """Whether it was full when it was looked at before, and is not now."""
        free = self._free(self._folder)
        self._was_full = self._was_full or free < FULL_BYTES
        return self._was_full and free > ROOM_BYTES
