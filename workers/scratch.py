"""The folder for a template's temporary files; what kill -9 of everything has left of earlier ones is removed."""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "millrace-scratch-"
NEW_SECONDS = 60.0  # so long it may not be held yet


def make() -> Path:
    """It is held as long as this process lives, or one that was forked from it. Raises OSError."""
    for each in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_left(each):
            shutil.rmtree(each, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)  # by a descriptor that is never closed
    return folder


def _is_left(folder: Path) -> bool:
    try:
        if time.time() - folder.stat().st_mtime < NEW_SECONDS:
            return False
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False  # gone, or another user's
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
