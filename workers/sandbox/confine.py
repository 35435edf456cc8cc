"""Takes from a process, in this order, all that a task is not to have. What comes later would forbid what is before."""

import os

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
    seccomp.restrict(processes=plan.namespaces and plan.limits.processes > 0)


def _processes_of_user() -> int:
    """With their threads: outside of a namespace of its own a task is counted together with all of them."""
    user, count = os.getuid(), 0
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            try:
                count += os.stat(f"/proc/{name}/task").st_nlink - 2 if os.stat(f"/proc/{name}").st_uid == user else 0  # noqa: PTH116
            except OSError:
                continue  # it has ended
    return count
