"""A module in whose process the system refuses to start another one: once, or as long as the file NO_ROOM is there."""

import os
import resource
from itertools import count
from pathlib import Path

NOBODY = 65534
_forks = count()
_, MOST = resource.getrlimit(resource.RLIMIT_NPROC)


def leave_no_room() -> None:
    file = os.environ.get("NO_ROOM")
    if not (Path(file).exists() if file else next(_forks) == 0):
        return
    if os.getuid() == 0:
        os.setresuid(NOBODY, NOBODY, 0)  # the limit does not hold for root
    resource.setrlimit(resource.RLIMIT_NPROC, (0, MOST))


def leave_room() -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (MOST, MOST))
    if os.getresuid()[2] == 0:
        os.setresuid(0, 0, 0)


os.register_at_fork(before=leave_no_room, after_in_parent=leave_room)
