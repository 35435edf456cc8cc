"""The C library's calls that Python has no name for."""

import ctypes
import os
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4


def prctl(option: int, argument: int = 0) -> None:
    """Raises OSError."""
    checked("prctl", libc.prctl(option, ctypes.c_ulong(argument), *[ctypes.c_ulong(0)] * 3))


def syscall(what: str, number: int, *arguments: object) -> int:
    """Raises OSError."""
    return checked(what, libc.syscall(ctypes.c_long(number), *arguments))


def checked(what: str, returned: int) -> int:
    if returned < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error).lower()}")
    return returned


def drop_capabilities() -> None:
    """All of them, for good."""
    last = int(_read("/proc/sys/kernel/cap_last_cap", "40"))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    checked("prctl", libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    for capability in range(last + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # refused to who has none to begin with
    version_3 = (ctypes.c_uint32 * 2)(0x20080522, 0)
    checked("capset", libc.capset(version_3, (ctypes.c_uint32 * 6)()))


def _read(path: str, default: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return default
