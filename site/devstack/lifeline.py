"""Ties processes together: a child leaves with its parent, and orphans are adopted by the one who can end them."""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: a forked child should not load anything


class Signals:
    """Waits for signals, with a limit of time, on every Unix (macOS has no sigtimedwait)."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._arrived, arriving = os.pipe()
        os.set_blocking(self._arrived, False)
        os.set_blocking(arriving, False)  # as Python demands it
        signal.set_wakeup_fd(arriving)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def wait(self, within_seconds: float | None) -> set[int]:
        """Those that arrived since the last call, or the first to arrive in time."""
        select.select([self._arrived], [], [], within_seconds)
        with contextlib.suppress(BlockingIOError):
            return set(os.read(self._arrived, 4096))
        return set()


def leave_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends the child this signal when its parent is gone, even by kill -9 (Linux)."""
    parent = os.getpid()

    def in_the_child() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        _prctl(_SET_PDEATHSIG, with_signal)
        if os.getppid() != parent:  # it went between fork and prctl
            os._exit(1)

    return in_the_child


def adopt_orphans() -> None:
    """Grandchildren whose parent ends become children of this process (Linux), so that it can end them."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def reap() -> set[int]:
    """Take leave of every child that has ended, adopted ones too, and return their pids."""
    ended: set[int] = set()
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            ended.add(pid)
    return ended


def reap_orphans(own: int) -> None:
    """Take leave of adopted children that have ended; the `own` one's end is for its Popen to see."""
    for pid in children_of(os.getpid()):
        if pid != own:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def children_of(pid: int) -> list[int]:
    return [child for child, parent in _parents() if parent == pid]


def ancestors() -> list[int]:
    """Parent first."""
    parents, pid, found = dict(_parents()), os.getppid(), []
    while pid:
        found.append(pid)
        pid = parents.get(pid, 0)
    return found


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return _stat(pid)[0] != "Z"
    return not Path("/proc/self").exists() and _answers(pid)


def end_descendants() -> None:
    """Kill and reap everything below this process; returns when nothing is left."""
    while left := _descendants():
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reap()
        time.sleep(0.01)


def _prctl(option: int, value: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(option, value, 0, 0, 0)


def _descendants() -> list[int]:
    parents = dict(_parents())
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def _parents() -> Iterator[tuple[int, int]]:
    """Without pathlib: bin/dev looks once a second, and with it 300 processes take 20 ms of a processor, else 7."""
    for name in os.listdir("/proc") if Path("/proc").exists() else ():  # noqa: PTH208
        if name.isdigit():
            with contextlib.suppress(OSError):
                yield int(name), int(_stat(int(name))[1])


def _stat(pid: int) -> list[str]:
    """What follows the program's name, which is in brackets and may hold blanks and brackets itself."""
    with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123
        return file.read().rpartition(b")")[2].decode().split()


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
