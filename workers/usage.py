"""What a task has used of the machine, measured in the process that runs it."""

import contextlib
import os
import re
import resource
import time

LONG_SECONDS = 0.02  # asking the system takes 30 microseconds, which a shorter task is not to pay
_RESET_PEAK = b"5"  # proc(5), clear_refs


class Usage:
    """One for the process, from task to task."""

    def __init__(self) -> None:
        self._status = self._clear = -1  # elsewhere than on Linux there are no such files
        with contextlib.suppress(OSError):
            self._status = os.open("/proc/self/status", os.O_RDONLY)
            self._clear = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def begin(self) -> None:
        self._cpu = _cpu_seconds()
        with contextlib.suppress(OSError):
            os.pwrite(self._clear, _RESET_PEAK, 0)

    def cpu_seconds(self) -> float:
        """Of this process and the children that it has waited for, since `begin`."""
        return round(_cpu_seconds() - self._cpu, 6)

    def peak_bytes(self, run_seconds: float) -> int | None:
        """The most memory that this process has had since `begin`; None when that is not worth asking."""
        if run_seconds < LONG_SECONDS or self._clear < 0:
            return None
        found = re.search(rb"VmHWM:\s*(\d+) kB", os.pread(self._status, 4096, 0))
        return int(found[1]) * 1024 if found else None


def _cpu_seconds() -> float:
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited_for.ru_utime + waited_for.ru_stime
