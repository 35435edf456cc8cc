"""The template's children: forked with a private folder each, and reaped with everything that they leave behind."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from workers import tree
from workers.mortal import die_with


class Brood:
    """An ended child's processes come to this one as orphans: whatever is below it and not below a living child."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._alive: dict[int, Path] = {}
        self._modules_own = frozenset(each.pid for each in tree.below(os.getpid()))
        self._dying = False  # orphans that have been killed and not yet reaped
        tree.adopt_orphans()

    def fork(self, run: Callable[[], None]) -> int:
        """The pid of a new child, which runs that and ends. Raises OSError: no memory, process or room, for now."""
        parent, folder = os.getpid(), Path(tempfile.mkdtemp(dir=self._folder))
        try:
            pid = os.fork()
        except OSError:
            folder.rmdir()
            raise
        if pid:
            self._alive[pid] = folder
            return pid
        try:
            die_with(parent)
            _use_as_temporary(folder)
            run()
        finally:
            os._exit(0)  # never back into the template's loop

    def ended(self) -> Iterator[tuple[int, int]]:
        """(pid, wait status) of each child that has ended, once nothing of it is left.

        Asks about the children alone: the end of a process that a module started is that module's affair.
        """
        gone = [found for pid in self._alive if (found := os.waitpid(pid, os.WNOHANG))[0]]
        folders = [self._alive.pop(pid) for pid, _ in gone]
        if gone or self._dying:
            self._end_orphans()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        yield from gone

    def end(self) -> None:
        """Kills them all, with everything below them."""
        tree.kill_below(os.getpid())
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_orphans(self) -> None:
        spared = {*self._alive, *self._modules_own}
        tree.kill_below(os.getpid(), spared=spared)
        self._dying = not tree.reap_below(os.getpid(), spared=spared)


def _use_as_temporary(folder: Path) -> None:
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # a module may have asked while it was imported
