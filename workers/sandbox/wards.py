"""The template's children: each is confined before anybody hears of it, and is one process that takes all others along.

Its pid is the one by which it is known outside, where the worker signals it.
"""

import contextlib
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator
from typing import NoReturn

from workers.sandbox import namespaces, system
from workers.sandbox.confine import TMP, confine
from workers.sandbox.plan import BROKEN, Plan

_MOST_OF_A_REASON = 4_096


class Wards:
    """`scratch`: where children without a /tmp of their own get a folder each."""

    def __init__(self, plan: Plan, scratch: str) -> None:
        self._plan = plan
        self._scratch = scratch
        self._alive: dict[int, str] = {}
        self._owner = os.getuid(), os.getgid()

    def fork(self, run: Callable[[], None], kept: Collection[int]) -> int:
        """The pid of a new child, which runs that and ends; of all descriptors it has 0, 1, 2 and the kept ones.

        Raises OSError: no memory or process for now, or something of the plan cannot be done.
        """
        folder = TMP if self._plan.namespaces else tempfile.mkdtemp(dir=self._scratch)
        told, tell = os.pipe()
        try:
            pid = namespaces.fork() if self._plan.namespaces else os.fork()
            if pid == 0:
                self._become(run, folder, {*kept, tell}, tell)
            os.close(tell)
            tell = -1
            if reason := _read_all(told):
                os.waitpid(pid, 0)
                raise OSError(reason)  # noqa: TRY301  as when it was not forked
        except OSError:
            self._remove(folder)
            raise
        finally:
            for each in {told, tell} - {-1}:
                os.close(each)
        self._alive[pid] = folder
        return pid

    def ended(self) -> Iterator[tuple[int, int]]:
        """(pid, wait status) of each child that has ended."""
        for pid, status in [found for pid in self._alive if (found := os.waitpid(pid, os.WNOHANG))[0]]:
            self._remove(self._alive.pop(pid))
            yield pid, status

    def end(self) -> None:
        """Kills them all."""
        for pid in self._alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _become(self, run: Callable[[], None], folder: str, kept: Collection[int], tell: int) -> NoReturn:
        try:
            try:
                self._prepare(folder, kept, tell)
            except BaseException as error:  # noqa: BLE001  whatever it is, no task runs in this process
                _say(tell, getattr(error, "strerror", None) or str(error) or type(error).__name__)
                os._exit(BROKEN)
            os.close(tell)
            run()
        finally:
            os._exit(BROKEN)  # never back into the template's loop

    def _prepare(self, folder: str, kept: Collection[int], tell: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _close_all_but({0, 1, 2, *kept})
        if self._plan.namespaces:
            namespaces.settle(*self._owner)
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
        if _nobody_reads(tell):
            os._exit(0)  # the template has ended before
        for name in ("HOME", "TMPDIR"):
            os.environ[name] = folder
        tempfile.tempdir = None
        confine(self._plan, folder)

    def _remove(self, folder: str) -> None:
        if folder != TMP:
            shutil.rmtree(folder, ignore_errors=True)


def _say(tell: int, reason: str) -> None:
    with contextlib.suppress(OSError):
        os.write(tell, reason.encode(errors="replace")[:_MOST_OF_A_REASON])


def _nobody_reads(pipe: int) -> bool:
    asked = select.poll()
    asked.register(pipe, 0)
    return bool(asked.poll(0))


def _read_all(descriptor: int) -> str:
    pieces = []
    while piece := os.read(descriptor, _MOST_OF_A_REASON):
        pieces.append(piece)
    return b"".join(pieces).decode(errors="replace")


def _close_all_but(kept: Collection[int]) -> None:
    first = 0
    for each in [*sorted(kept), os.sysconf("SC_OPEN_MAX")]:
        if first < each:  # else it would close all that there are
            os.closerange(first, each)
        first = each + 1
