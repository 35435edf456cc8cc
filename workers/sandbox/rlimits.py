"""The kernel's limits for one process, soft and hard alike: it cannot raise them again."""

import math
import os
import resource

from workers.sandbox.limits import MIB, Limits

THREADS = 128
DESCRIPTORS = 256
STACK = 8 * MIB
_NONE_AT_ALL = (resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE, resource.RLIMIT_RTPRIO)


def restrict(limits: Limits, *, others: int = 0) -> None:
    """`others`: the user's processes elsewhere that the kernel counts together with those of this task."""
    for each in _NONE_AT_ALL:
        _lower(each, 0)
    _lower(resource.RLIMIT_AS, limits.memory)
    _lower(resource.RLIMIT_FSIZE, limits.file_size)
    _lower(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _lower(resource.RLIMIT_STACK, STACK)
    _lower(resource.RLIMIT_NPROC, THREADS + limits.processes + others)


def restrict_processor(seconds: float) -> None:
    """On all of this machine's processors for so long; the net below the worker's time limit."""
    _lower(resource.RLIMIT_CPU, math.ceil(seconds * (os.cpu_count() or 1)) + 1)


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))
