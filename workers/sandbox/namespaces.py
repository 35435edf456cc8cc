"""Namespaces of a task's own: users, processes, mounts, shared memory. Its first process takes all others with it."""

import ctypes
import os
from pathlib import Path

from workers.sandbox import system

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID = 0x0002_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000
_NOSUID, _NODEV, _NOEXEC, _RDONLY = 2, 4, 8, 1
_REC, _PRIVATE = 16384, 1 << 18
INSIDE_ID = 1000
MOST_FILES = 16_384  # each costs the kernel 1 KB, whatever is in it


def leave() -> None:
    """The next process forked from this one is the first in namespaces of its own. Raises OSError."""
    uid, gid = os.getuid(), os.getgid()
    system.prctl(system.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root when the user was changed
    flags = _NEWUSER | _NEWPID | _NEWNS | _NEWIPC
    system.checked("namespaces", system.libc.unshare(ctypes.c_int(flags)))
    for file, text in (("setgroups", "deny"), ("uid_map", f"{INSIDE_ID} {uid} 1"), ("gid_map", f"{INSIDE_ID} {gid} 1")):
        Path(f"/proc/self/{file}").write_text(text, encoding="ascii")


def furnish(tmp_bytes: int) -> None:
    """An empty /tmp and a /proc of its own, by the first process. Raises OSError."""
    _mount("none", "/", None, _REC | _PRIVATE)
    _mount("tmpfs", "/tmp", "tmpfs", _NOSUID | _NODEV | _NOEXEC, f"size={tmp_bytes},nr_inodes={MOST_FILES},mode=700")  # noqa: S108
    try:
        _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC | _RDONLY, "subset=pid")
    except OSError:  # before Linux 5.8, or in a container that hides parts of its own
        _mount("tmpfs", "/proc", "tmpfs", _NOSUID | _NODEV | _NOEXEC | _RDONLY, "size=0")
    os.chdir("/tmp")  # noqa: S108


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encoded = [source.encode(), target.encode(), kind.encode() if kind else None]
    mounted = system.libc.mount(*encoded, ctypes.c_ulong(flags), options.encode() or None)
    system.checked(f"mount of {target}", mounted)
