"""What the processes of a stack use: CPU seconds so far and memory, by role."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
OURS = ("web", "relay", "worker", "sink")
Roles = Mapping[str, list[int]]  # pids, each of them with everything below it


def roles_of(stack: Any, database: str) -> dict[str, list[int]]:
    """`database`: "sqlite" or "postgresql", whose server has a role too."""
    found = {role: list(stack.pids(role)) for role in (*OURS, "broker")}
    return found | ({"postgresql": [postgresql_pid()]} if database == "postgresql" else {})


def postgresql_pid() -> int:
    """Of the tests' server."""
    from tests.settings import FOLDER

    return int(Path(FOLDER, "postgresql/postmaster.pid").read_text().split()[0])


def cpu_seconds(roles: Roles) -> dict[str, float]:
    """Of each role, with those of its processes that have ended."""
    return {role: sum(map(_cpu_seconds, _trees(pids))) for role, pids in roles.items()}


def since(before: Mapping[str, float], roles: Roles) -> dict[str, float]:
    """CPU seconds of each role."""
    return {role: seconds - before[role] for role, seconds in cpu_seconds(roles).items()}


def pss_megabytes(roles: Roles) -> dict[str, float]:
    """Memory of each role; what several processes share counts for each in part."""
    return {role: sum(map(_pss_megabytes, _trees(pids))) for role, pids in roles.items()}


def tree(pid: int) -> list[int]:
    """It and everything below it."""
    return list(_trees([pid]))


def ours(figures: Mapping[str, float]) -> float:
    """Of the processes that are the project's own."""
    return sum(figures[role] for role in OURS)


def _trees(pids: Iterable[int]) -> Iterator[int]:
    for pid in pids:
        yield pid
        for file in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                yield from _trees(map(int, file.read_text().split()))


def _cpu_seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / TICK
    return 0.0


def _pss_megabytes(pid: int) -> float:
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return 0.0
