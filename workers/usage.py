"""What a task has used of the machine, measured in the process that runs it."""

import contextlib
import os
import resource

LONG_SECONDS = 0.02  # a shorter one does not tell its memory: it would mostly be that of the tasks before
SLACK_KB = 1_024  # of an earlier task's that may be taken for this one's, to spare short ones the reset
_RESET_PEAK = b"5"  # proc(5), clear_refs


class Usage:
    """One for the process. Each task's begins where that of the one before has ended."""

    def __init__(self) -> None:
        self._cpu, self._peak = _used()
        self._clear = -1  # elsewhere than on Linux there is no such file
        with contextlib.suppress(OSError):
            self._clear = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def take(self, run_seconds: float) -> tuple[float, int | None]:
        """(CPU seconds of this process and the children that it has waited for, the most memory that it has had).

        The memory is None when the task was too short to tell. What the task has returned is to be given up before.
        """
        before, peak_before = self._cpu, self._peak
        self._cpu, peak = _used()
        if self._clear < 0:
            return round(self._cpu - before, 6), None
        is_long = run_seconds >= LONG_SECONDS
        if is_long or peak > peak_before + SLACK_KB:
            os.pwrite(self._clear, _RESET_PEAK, 0)
            self._peak = _used()[1]
        return round(self._cpu - before, 6), peak * 1024 if is_long else None


def _used() -> tuple[float, int]:
    """CPU seconds, and the peak of this process's memory in kB."""
    own, waited_for = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + waited_for.ru_utime + waited_for.ru_stime, own.ru_maxrss
