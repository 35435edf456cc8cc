"""What a task has used of the machine, measured in the process that runs it."""

import contextlib
import os
import resource
import time

BRIEF_SECONDS = 0.0005  # in so short a time no process is started and waited for, and little memory filled
LONG_SECONDS = 0.02  # a shorter one does not tell its memory: it would mostly be that of the tasks before
SLACK_KB = 1_024  # of an earlier task's that may be taken for this one's, to spare short ones the reset
_RESET_PEAK = b"5"  # proc(5), clear_refs


class Usage:
    """One for the process. Each task's begins where that of the one before has ended."""

    def __init__(self) -> None:
        self._own, self._waited_for, self._peak = time.process_time(), _waited_for(), _peak()
        self._clear = -1  # elsewhere than on Linux there is no such file
        with contextlib.suppress(OSError):
            self._clear = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def take(self, run_seconds: float) -> tuple[float, int | None]:
        """(CPU seconds of this process and the children that it has waited for, the most memory that it has had).

        The memory is None when the task was too short to tell. What the task has returned is to be given up before.
        """
        own_before, self._own = self._own, time.process_time()
        if run_seconds < BRIEF_SECONDS:
            return round(self._own - own_before, 6), None
        waited_for_before, self._waited_for = self._waited_for, _waited_for()
        cpu_seconds = round(self._own - own_before + self._waited_for - waited_for_before, 6)
        return cpu_seconds, self._memory(is_long=run_seconds >= LONG_SECONDS) if self._clear >= 0 else None

    def _memory(self, *, is_long: bool) -> int | None:
        peak = _peak()
        if is_long or peak > self._peak + SLACK_KB:
            os.pwrite(self._clear, _RESET_PEAK, 0)
            self._peak = _peak()
        return peak * 1024 if is_long else None


def _waited_for() -> float:
    """CPU seconds of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak() -> int:
    """Of this process's memory, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
