"""A task's time limit inside its child: SIGTERM from the worker raises TimeLimit in the task that runs, and only there.

A handler may catch it to clean up; STOP_SECONDS later its process is killed with everything below it.
"""

import os
import signal
import time
from typing import Any

STOP_SECONDS = 5.0
LATE_SECONDS = 1.0  # so much later than in the worker a task may begin here, on a busy machine


class TimeLimit(BaseException):
    """The task has run as long as it may."""


def too_long(limit_seconds: float) -> str:
    return f"it ran longer than its limit of {limit_seconds:g} s"


class Limit:
    """One for the process. `reached`: TimeLimit was raised in the last task."""

    def __init__(self) -> None:
        self.reached = False
        self._seconds: float | None = None
        self._began = 0.0
        self._signal: Any = self._on_signal  # always the same object
        self._masks: list[Any] = []

    def install(self) -> None:
        """For this process alone, not for those that a task forks."""
        signal.signal(signal.SIGTERM, self._signal)
        os.register_at_fork(before=self._hold, after_in_parent=self._release, after_in_child=self._leave)

    def arm(self, seconds: float | None) -> None:
        """From here to `disarm` TimeLimit may be raised, once."""
        self.reached = False
        if seconds is None:
            return
        if signal.getsignal(signal.SIGTERM) is not self._signal:  # an earlier task has set another
            signal.signal(signal.SIGTERM, self._signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # nor is it to be blocked
        self._began = time.monotonic()
        self._seconds = seconds

    def disarm(self) -> None:
        self._seconds = None

    def _on_signal(self, _number: int, _frame: Any) -> None:
        limit = self._seconds
        if limit is None or time.monotonic() - self._began < limit - LATE_SECONDS:
            return  # somebody else's: systemd, for one, sends it to every process of a service
        self._seconds, self.reached = None, True
        raise TimeLimit(too_long(limit))

    def _hold(self) -> None:
        """What is sent to a process that is being forked waits until that one is itself."""
        self._masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]))

    def _release(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.pop())

    def _leave(self) -> None:
        if signal.getsignal(signal.SIGTERM) is self._signal:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._release()
