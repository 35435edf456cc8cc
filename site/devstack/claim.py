"""Who is at work on a data folder: a lock for bin/dev and one for each part, held as long as their process lives."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import TextIO

from devstack import lifeline, places
from devstack.screen import Stop

FOLDER = "claims"
STACK = "stack"  # what bin/dev holds
ALONE = ("broker", "web", "relay", "sink")
SHARED = ("worker",)  # any number of them
LEAVE_SECONDS = 8.0  # after kill -9 of everything's starter the rest needs a moment to leave


def check(var: Path) -> None:
    """Raises Stop as `take_stack` would; makes nothing."""
    if (var / FOLDER).exists():
        take_stack(var).close()


def take_stack(var: Path) -> TextIO:
    """Hold the folder for bin/dev. Raises Stop while another one, or any part by itself, is at work on it."""
    sentence = f"Millrace already runs on {places.short(var)}{{}}; stop it, or use --var"
    stack = _take(var, STACK, sentence)
    for part in (*ALONE, *SHARED):
        _take(var, part, sentence).close()
    _write(stack, os.getpid())
    return stack


def take_part(var: Path, part: str, owner: int) -> TextIO:
    """Hold one part, until the file is closed or this process ends, however it ends. Raises Stop.

    `owner` is the process with which the holder leaves.
    """
    if part in SHARED:
        file = _open(var, part)
        fcntl.flock(file, fcntl.LOCK_SH)  # free but for the moment in which somebody looks whether it is
    else:
        file = _take(var, part, f"a {part} already runs on {places.short(var)}{{}}; one is all that there may be")
    _write(file, owner)
    return file


def others_at_work(var: Path, part: str) -> bool:
    return any(_at_work(var, other) for other in (*ALONE, *SHARED) if other != part)


def _at_work(var: Path, part: str) -> bool:
    with _open(var, part) as file:
        return not _locked(file)


def _take(var: Path, part: str, sentence: str) -> TextIO:
    """Waits for a holder whose owner is gone: it is about to leave. Else raises Stop, naming a living process."""
    file = _open(var, part)
    deadline = time.monotonic() + LEAVE_SECONDS
    while not _locked(file):
        owners, holders = _read(file)
        if owners or time.monotonic() > deadline:
            file.close()
            raise Stop(sentence.format("".join(f" (process {pid})" for pid in (owners or holders)[:1])), 2)
        time.sleep(0.1)
    file.truncate(0)
    return file


def _open(var: Path, part: str) -> TextIO:
    folder = var / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return (folder / part).open("a+")


def _locked(file: TextIO) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _write(file: TextIO, owner: int) -> None:
    file.write(f"{owner} {os.getpid()}\n")
    file.flush()


def _read(file: TextIO) -> tuple[list[int], list[int]]:
    """The owners and the holders of those that are alive."""
    file.seek(0)
    lines = [[int(word) for word in line.split()] for line in file.read().splitlines()]
    alive = [(owner, holder) for owner, holder in lines if lifeline.is_alive(holder)]
    return [owner for owner, _ in alive if lifeline.is_alive(owner)], [holder for _, holder in alive]
