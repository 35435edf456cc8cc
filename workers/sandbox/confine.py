"""Takes from a process, in this order, all that a task is not to have. What comes later would forbid what is before."""

import contextlib
import os
from pathlib import Path

from workers.sandbox import landlock, namespaces, rlimits, seccomp, system, view
from workers.sandbox.plan import Plan

TMP = "/tmp"  # noqa: S108  its own


def confine(plan: Plan, folder: str) -> None:
    """`folder`: the one place it may write to. Raises OSError, and the process is not to go on."""
    if plan.namespaces:
        namespaces.furnish(plan.limits.tmp)
    os.chdir(folder)
    rlimits.restrict(plan.limits, others=0 if plan.namespaces else _processes_of_user())
    system.drop_capabilities()
    if plan.landlock:
        landlock.restrict(view.readable(plan.ours), [folder, "/dev/null"])
    processes = plan.namespaces and plan.limits.processes > 0
    seccomp.restrict(processes=processes, shares_files=not plan.namespaces)


def _processes_of_user() -> int:
    """With their threads: outside of a namespace of its own a task is counted together with all of them."""
    user, count = os.getuid(), 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            if process.stat().st_uid == user:
                count += (process / "task").stat().st_nlink - 2
    return count
