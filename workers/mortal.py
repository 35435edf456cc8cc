"""A process that never outlives the one that started it, not even when that one is killed."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Call first thing in the new process. The kernel kills it when `parent` ends.

    The death signal is bound to the parent's *thread* that forked: that one has to live as long as the process.
    Elsewhere than on Linux the end of the socket to the parent has to do.
    """
    if sys.platform == "linux":
        _set_death_signal(signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


def outlive_parent() -> None:
    """It sees the parent's end by itself from now on."""
    if sys.platform == "linux":
        _set_death_signal(0)


def _set_death_signal(number: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
