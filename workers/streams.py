"""The child's ends of the pipes that its tasks print to."""

import contextlib
import ctypes
import fcntl
import io
import os
import sys
import termios
import time
from collections.abc import Sequence

READ_SECONDS = 2.0  # for the worker to read what is left: it may be suspended, or a thread may print without end
LOOK_SECONDS = 0.0002
_LINE_BUFFERED = 1  # C's _IOLBF
_NONE = bytes(4)  # a C int


class Streams:
    """`pipes`: for stdout and stderr. Prints go line by line into them, as into a terminal."""

    def __init__(self, pipes: Sequence[int]) -> None:
        self._pipes = dict(zip((1, 2), pipes, strict=True))
        self._files: list[io.TextIOWrapper] = []
        self.renew()

    def renew(self) -> None:
        """As it was before a task closed or replaced what it prints to."""
        for descriptor, pipe in self._pipes.items():
            os.dup2(pipe, descriptor)
        if not self._files or any(file.closed for file in self._files):
            self._files = [
                open(each, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
                for each in self._pipes
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
        return any(fcntl.ioctl(pipe, termios.FIONREAD, _NONE) != _NONE for pipe in self._pipes.values())


def print_lines_from_c() -> None:
    """What native code prints would else wait in a buffer, and be taken for a later task's."""
    libc = ctypes.CDLL(None)
    with contextlib.suppress(ValueError):  # a libc that calls it otherwise
        libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINE_BUFFERED, ctypes.c_size_t(0))
