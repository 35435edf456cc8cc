"""The child's ends of the pipes that its tasks print to."""

import contextlib
import ctypes
import fcntl
import io
import os
import sys
import termios
import time
from array import array
from collections.abc import Sequence

READ_SECONDS = 2.0  # for the worker to read what is left: it may be suspended, or a thread may print without end
LOOK_SECONDS = 0.0002
_LINE_BUFFERED = 1  # C's _IOLBF
_count = array("i", [0])  # made once: it is asked after each task


class Streams:
    """`pipes`: for stdout and stderr. Prints go line by line into them, as into a terminal."""

    def __init__(self, pipes: Sequence[int]) -> None:
        self._stdout, self._stderr = pipes
        self._files: list[io.TextIOWrapper] = []
        self.renew()

    def renew(self) -> None:
        """As it was before a task closed or replaced what it prints to."""
        os.dup2(self._stdout, 1)
        os.dup2(self._stderr, 2)
        if not self._files or self._files[0].closed or self._files[1].closed:
            self._files = [
                open(each, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
                for each in (1, 2)
            ]
        sys.stdout, sys.stderr = self._files

    def flush(self) -> None:
        """What has been printed is seen now, not when a buffer is full."""
        for own, used in zip(self._files, (sys.stdout, sys.stderr), strict=True):
            try:
                own.flush()
                if used is not own:
                    used.flush()
            except (OSError, ValueError, AttributeError):
                continue  # closed or replaced; the task's own affair

    def wait_until_read(self) -> None:
        """What the next task prints cannot be told from it before."""
        if not self._unread():
            return
        deadline = time.monotonic() + READ_SECONDS
        while self._unread() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _unread(self) -> bool:
        return bool(_bytes_in(self._stdout) or _bytes_in(self._stderr))


def _bytes_in(pipe: int) -> int:
    fcntl.ioctl(pipe, termios.FIONREAD, _count)
    return _count[0]


def print_lines_from_c() -> None:
    """What native code prints would else wait in a buffer, and be taken for a later task's."""
    libc = ctypes.CDLL(None)
    with contextlib.suppress(ValueError):  # a libc that calls it otherwise
        libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINE_BUFFERED, ctypes.c_size_t(0))
