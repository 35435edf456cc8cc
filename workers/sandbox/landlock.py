"""Landlock: which files may be read and which written, no TCP, no signal to anybody else; by who is not root too."""

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from workers.sandbox import system

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every machine
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_FIRST = (1 << 13) - 1
_PATH_BENEATH = 1


def version() -> int:
    """0: the kernel has none, or it is switched off."""
    return int(max(0, system.libc.syscall(ctypes.c_long(_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


def restrict(readable: Sequence[str], writable: Sequence[str]) -> None:
    """Everything else is out of reach from now on. Paths that are not there are left out. Raises OSError."""
    known = version()
    handled = _FIRST | _REFER * (known >= 2) | _TRUNCATE * (known >= 3) | _IOCTL_DEV * (known >= 5)
    network, scope = 3 * (known >= 4), 3 * (known >= 6)
    attributes = struct.pack("=QQQ", handled, network, scope)
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    rules = system.syscall("Landlock", _CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    for path in readable:
        _add(rules, path, (_EXECUTE | _READ_FILE | _READ_DIR) & handled)
    for path in writable:
        _add(rules, path, handled & ~(_EXECUTE | _MAKE_CHAR | _MAKE_BLOCK | _MAKE_SOCK | _IOCTL_DEV))
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    system.syscall("Landlock", _RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    os.close(rules)


def _add(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = access if Path(path).is_dir() else access & _OF_FILES
        rule = struct.pack("=Qi", allowed, place)
        system.syscall(
            "Landlock", _ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0)
        )
    finally:
        os.close(place)
