"""What a task has used of the machine, measured in the process that runs it."""

import contextlib
import os
import re
import resource
import time

LONG_SECONDS = 0.02  # asking for the peak takes 30 microseconds, which a shorter task is not to pay
_RESET_PEAK = b"5"  # proc(5), clear_refs


class Usage:
    """One for the process. Each task's begins where that of the one before has ended."""

    def __init__(self) -> None:
        self._cpu = _cpu_seconds()
        self._status = self._clear = -1  # elsewhere than on Linux there are no such files
        with contextlib.suppress(OSError):
            self._status = os.open("/proc/self/status", os.O_RDONLY)
            self._clear = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def take(self, run_seconds: float) -> tuple[float, int | None]:
        """(CPU seconds of this process and the children that it has waited for, the most memory that it has had).

        The memory is None when the task was too short to ask.
        """
        before, self._cpu = self._cpu, _cpu_seconds()
        return round(self._cpu - before, 6), self._take_peak(run_seconds) if self._clear >= 0 else None

    def _take_peak(self, run_seconds: float) -> int | None:
        found = None
        if run_seconds >= LONG_SECONDS:
            found = re.search(rb"VmHWM:\s*(\d+) kB", os.pread(self._status, 4096, 0))
        os.pwrite(self._clear, _RESET_PEAK, 0)
        return int(found[1]) * 1024 if found else None


def _cpu_seconds() -> float:
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited_for.ru_utime + waited_for.ru_stime
