"""Namespaces of a task's own: users, processes, mounts, shared memory. Its first process takes all others with it."""

import ctypes
import os
import signal
from pathlib import Path

from workers.sandbox import syscalls, system

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID = 0x0002_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000
_CHILD_SETTID = 0x0100_0000
_PR_GET_TID_ADDRESS = 40
_NOSUID, _NODEV, _NOEXEC, _RDONLY = 2, 4, 8, 1
_REC, _PRIVATE = 16384, 1 << 18
INSIDE_ID = 1000
_CLONE = syscalls.numbers().get("clone", -1)  # -1 is answered by: not implemented
_syscall = ctypes.PyDLL(None, use_errno=True).syscall  # keeps Python's lock, as os.fork() does
MOST_FILES = 16_384  # each costs the kernel 1 KB, whatever is in it


def fork() -> int:
    """As os.fork(): 0 in the child, which is the first process in namespaces of its own. Raises OSError.

    In one step: os.fork() after unshare() would take a process between the two, and half of the time is the copying of
    a process. What Python does around its own fork is done here; the C library is told the child's id by CHILD_SETTID.
    """
    thread_id = ctypes.c_void_p()  # where it keeps it; unknown to a kernel built without CHECKPOINT_RESTORE
    system.libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(thread_id))
    flags = _NEWUSER | _NEWPID | _NEWNS | _NEWIPC | (_CHILD_SETTID if thread_id else 0) | signal.SIGCHLD
    ctypes.pythonapi.PyOS_BeforeFork()
    # The address stands twice: each of the two sorts of processor has it in another place.
    pid = _syscall(ctypes.c_long(_CLONE), ctypes.c_ulong(flags), None, None, thread_id, thread_id)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, f"namespaces: {os.strerror(error).lower()}")
    return int(pid)


def settle(user: int, group: int) -> None:
    """Gives the first process an id inside; `user` and `group` are those it has outside. Raises OSError."""
    system.prctl(system.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root when the user was changed
    maps = ("setgroups", "deny"), ("uid_map", f"{INSIDE_ID} {user} 1"), ("gid_map", f"{INSIDE_ID} {group} 1")
    for file, text in maps:
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
