"""The ledger: what was really run, told by the handlers themselves and independent of what the product records.

One line for each run before its work and one after it: `ident run pid phase seconds`, the last of the monotonic clock.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "CHAOS_LEDGER"  # names the file


@dataclass(frozen=True, slots=True)
class Line:
    ident: str
    run: str
    pid: int
    phase: str
    at: float


@contextmanager
def entered(ident: str) -> Iterator[None]:
    """A run of the task `ident`; the second line is missing when it raises or dies."""
    run = secrets.token_hex(4)
    _write(ident, run, "begin")
    yield
    _write(ident, run, "end")


def read(path: Path) -> list[Line]:
    """A line that a kill cut short is left out."""
    lines = []
    for text in path.read_text().splitlines() if path.exists() else ():
        if len(parts := text.split()) == 5:
            ident, run, pid, phase, at = parts
            lines.append(Line(ident, run, int(pid), phase, float(at)))
    return lines


def _write(ident: str, run: str, phase: str) -> None:
    """One write at the end of the file, so that lines of several processes never mix."""
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{ident} {run} {os.getpid()} {phase} {time.monotonic():.4f}\n".encode())
    finally:
        os.close(file)
