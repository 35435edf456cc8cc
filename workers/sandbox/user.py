"""No task runs as root: what belongs to root lies open to root, whatever namespaces there are."""

import os
from pathlib import Path

NOBODY = 65_534


def leave_root(*, in_view: bool) -> None:
    """Raises OSError when this is root and cannot become anybody else. `in_view`: /tmp is a new one."""
    if os.getuid() != 0 or _is_root_in_name_only():
        return
    if in_view:
        Path("/tmp").chmod(0o1777)  # noqa: S108
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _is_root_in_name_only() -> bool:
    """In a namespace of one user, who is somebody else outside."""
    lines = [line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]
    return len(lines) == 1 and lines[0][1] != "0" and lines[0][2] == "1"
