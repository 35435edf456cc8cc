"""What of this machine a task may see: the system's libraries, Python with its packages, nothing of anybody's own."""

import os
import sys
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64")
SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
OURS = Path(__file__).resolve().parents[1]
_OF_PYTHON = ("bin", "lib", "lib64", "pyvenv.cfg")


def parts_of(prefix: str) -> list[str]:
    """Of the interpreter or an environment of packages; not the whole folder, which may be the project's."""
    if prefix.startswith("/usr"):
        return []
    return [str(Path(prefix, part)) for part in _OF_PYTHON if Path(prefix, part).exists()]


def readable(ours: str) -> list[str]:
    """For Landlock, inside. `ours`: where our package is there."""
    pseudo = [f"/proc/{os.getpid()}", *(f"/proc/{each}" for each in ("cpuinfo", "meminfo", "stat"))]
    return [*SYSTEM, *SETTINGS, *DEVICES, *_PYTHON, ours, *pseudo]


_PYTHON = [part for prefix in {sys.prefix, sys.base_prefix} for part in parts_of(prefix)]  # before there are children
