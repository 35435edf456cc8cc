"""One stack per data folder: a lock that all keepers of a stack hold together, with the number of who started it."""

import contextlib
import fcntl
import time
from pathlib import Path
from typing import TextIO

from devstack import lifeline, places
from devstack.screen import Stop

LEAVE_SECONDS = 8.0  # after kill -9 of everything's starter the rest needs a moment to leave


def take(var: Path, owner: int) -> TextIO:
    """Hold the folder for the stack of `owner`, until the file is closed or this process ends, however it ends.

    The first of a stack writes the owner's number; the others find it among their ancestors. Raises Stop when it is
    another stack's.
    """
    file = (var / "stack.lock").open("a+")
    deadline = time.monotonic() + LEAVE_SECONDS
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(file, owner)
        fcntl.flock(file, fcntl.LOCK_SH)  # waits while somebody writes
        holder = _read(file)
        if holder == owner or holder in lifeline.ancestors():
            return file
        fcntl.flock(file, fcntl.LOCK_UN)
        if lifeline.is_alive(holder) or time.monotonic() > deadline:
            file.close()
            raise Stop(f"Millrace already runs on {places.short(var)} (process {holder}); stop it, or use --var", 2)
        time.sleep(0.1)


def _write(file: TextIO, owner: int) -> None:
    file.truncate(0)
    file.write(str(owner))
    file.flush()


def _read(file: TextIO) -> int:
    file.seek(0)
    text = file.read()
    return int(text) if text.isdecimal() else 0
