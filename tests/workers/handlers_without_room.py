"""A module in whose process the system refuses to start another one, once."""

import os
import resource
from itertools import count

_forks = count()
_, MOST = resource.getrlimit(resource.RLIMIT_NPROC)


def leave_no_room_at_first() -> None:
    if os.getuid() == 0:
        os.setuid(65534)  # the limit does not hold for root
    resource.setrlimit(resource.RLIMIT_NPROC, (MOST if next(_forks) else 0, MOST))


os.register_at_fork(before=leave_no_room_at_first)  # after all imports, which others than root may not be able to read
