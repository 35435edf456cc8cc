"""The processes below one: adopted when their own parents end, found in /proc, killed until nothing new is found."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Entry:
    pid: int
    parent: int
    is_zombie: bool


def adopt_orphans() -> None:
    """What is started below this process, in whatever session, stays below it; elsewhere than on Linux it may leave."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def below(root: int, *, spared: Collection[int] = ()) -> list[Entry]:
    """Parents first. The spared are left out together with what is below them."""
    children: dict[int, list[Entry]] = {}
    for entry in _entries():
        children.setdefault(entry.parent, []).append(entry)
    found: list[Entry] = []
    level = [root]
    while level:
        met = [each for parent in level for each in children.get(parent, ()) if each.pid not in spared]
        found += met
        level = [each.pid for each in met]
    return found


def kill_below(root: int, *, spared: Collection[int] = ()) -> None:
    """A process that has been sent SIGKILL forks no more, so it is over when a look finds nobody new."""
    killed: set[int] = set()
    while new := {each.pid for each in below(root, spared=spared) if not each.is_zombie} - killed:
        for pid in new:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # ended meanwhile, or became another user's
                os.kill(pid, signal.SIGKILL)
        killed |= new


def reap_below(root: int, *, spared: Collection[int] = ()) -> bool:
    """Reaps what has ended below this process; whether nothing is left."""
    left = below(root, spared=spared)
    for each in left:
        with contextlib.suppress(ChildProcessError):  # still another's
            os.waitpid(each.pid, os.WNOHANG)
    return not left


def _entries() -> Iterator[Entry]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_bytes().rpartition(b")")[2].split(maxsplit=2)[:2]
        except OSError:
            continue  # it has ended
        yield Entry(int(folder.name), int(parent), is_zombie=state in (b"Z", b"X"))
