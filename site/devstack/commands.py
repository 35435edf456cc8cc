"""Runs the programs that a setup needs: their words are kept for the case that they fail, and they end with us."""

import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devstack import lifeline, places

# What stands before the sentence itself: a program's own mark of an error, or the class of an exception.
MARK = re.compile(r"^(error: |E: |[\w.]+(Error|Exception): )", re.IGNORECASE)


class CommandFailed(Exception):
    """What the program said; `last_line` is usually the reason, indented lines only explain it."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.code = code

    @property
    def last_line(self) -> str:
        lines = (line.rstrip() for line in reversed(str(self).splitlines()) if line.strip() and not line[0].isspace())
        return MARK.sub("", next(lines, "")) or f"it failed with exit code {self.code} and no word"


def run(*command: str | Path, cwd: Path = places.ROOT, environment: Mapping[str, str] | None = None) -> str:
    return finish(start(*command, cwd=cwd, environment=environment))


def start(
    *command: str | Path, cwd: Path = places.ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        preexec_fn=lifeline.leave_with_parent(signal.SIGKILL),  # noqa: PLW1509 it does nothing but two system calls
    )


def finish(program: subprocess.Popen[str]) -> str:
    """Its output. Raises CommandFailed."""
    said, complaint = program.communicate()
    if program.returncode:
        raise CommandFailed((complaint.strip() or said.strip())[-4000:], program.returncode)
    return said
