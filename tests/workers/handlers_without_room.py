"""A module in whose process the system refuses to start another one, once."""

import os
import resource
from itertools import count

NOBODY = 65534
_forks = count()
_, MOST = resource.getrlimit(resource.RLIMIT_NPROC)


def leave_no_room_at_first() -> None:
    if next(_forks):
        return
    if os.getuid() == 0:
        os.setresuid(NOBODY, NOBODY, 0)  # the limit does not hold for root
    resource.setrlimit(resource.RLIMIT_NPROC, (0, MOST))


def leave_room() -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (MOST, MOST))
    if os.getresuid()[2] == 0:
        os.setresuid(0, 0, 0)


os.register_at_fork(before=leave_no_room_at_first, after_in_parent=leave_room)
