"""What the process of a task may have at most, from the environment; the system keeps it.

A limit that is not set is the system's own. An address space beyond its limit is a MemoryError in the task, a file
beyond it an OSError, as is an open file or a process too many.
"""

import errno
import os
import re
import resource
from collections.abc import Mapping
from dataclasses import dataclass

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
MOST_BYTES = 2**50


@dataclass(frozen=True, slots=True)
class _Limit:
    variable: str
    resource: int
    low: int
    high: int
    in_bytes: bool
    of: str  # what it is a limit of

    def read(self, text: str) -> int:
        """Raises ValueError with a sentence."""
        found = re.fullmatch(r"(\d{1,16}) ?([KMGT]?)i?B?" if self.in_bytes else r"(\d{1,16})()", text, re.ASCII)
        number = int(found[1]) * _UNITS[found[2]] if found else -1
        if not self.low <= number <= self.high:
            example = "a size such as 512M or 4G" if self.in_bytes else "a whole number"
            raise ValueError(f"{self.variable} must be {example}, from {self.low} to {self.high} (got {text!r:.60})")
        return number


_LIMITS = {
    limit.variable: limit
    for limit in (
        _Limit("MILLRACE_TASK_MEMORY", resource.RLIMIT_AS, 2**28, MOST_BYTES, True, "memory"),
        _Limit("MILLRACE_TASK_FILE_SIZE", resource.RLIMIT_FSIZE, 2**20, MOST_BYTES, True, "a file's size"),
        _Limit("MILLRACE_TASK_OPEN_FILES", resource.RLIMIT_NOFILE, 32, 2**20, False, "open files"),
        _Limit("MILLRACE_TASK_PROCESSES", resource.RLIMIT_NPROC, 1, 2**22, False, "processes of its user"),
    )
}
_REACHED = {
    errno.ENOMEM: "MILLRACE_TASK_MEMORY",
    errno.EFBIG: "MILLRACE_TASK_FILE_SIZE",
    errno.EMFILE: "MILLRACE_TASK_OPEN_FILES",
    errno.EAGAIN: "MILLRACE_TASK_PROCESSES",
}


def read(environment: Mapping[str, str]) -> dict[str, int]:
    """Those that are set, by the names of their variables. Raises ValueError with a sentence."""
    return {name: limit.read(environment[name]) for name, limit in _LIMITS.items() if environment.get(name)}


def keep(limits: Mapping[str, int]) -> None:
    """In this process and those that it starts. No higher than the system allows already."""
    for name, most in limits.items():
        which = _LIMITS[name].resource
        _, hard = resource.getrlimit(which)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (allowed, allowed))


def hint(error: BaseException) -> str:
    """Which limit it is that a task has met, if it is one of these; else ""."""
    number = errno.ENOMEM if isinstance(error, MemoryError) else error.errno if isinstance(error, OSError) else None
    name = _REACHED.get(number or 0, "")
    if not os.environ.get(name):
        return ""
    return f"the limit of {_LIMITS[name].of} is {os.environ[name]} here, by {name}"
