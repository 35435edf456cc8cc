"""Kinds that misbehave in every way that a handler can, served by the workers under test."""

import ctypes
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.registry import handler
from workers.task import artifact, progress
from workers.timelimit import TimeLimit


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@handler("test.sleep")
def sleep(seconds: float, ledger: str = "") -> str:
    if ledger:
        with Path(ledger).open("a") as lines:
            lines.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return "slept"


@handler("test.sleep_once")
def sleep_once(ledger: str) -> str:
    """Where it has been run before it returns at once."""
    if Path(ledger).exists():
        return "again"
    return sleep(600, ledger)


@handler("test.kill")
def kill(signal_number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), signal_number)
    time.sleep(60)


@handler("test.os_exit")
def os_exit(code: int) -> None:
    os._exit(code)


@handler("test.fork")
def fork() -> int:
    return os.fork()  # and both processes answer


@handler("test.sys_exit")
def sys_exit(code: int) -> None:
    sys.exit(code)


@handler("test.interrupt")
def interrupt() -> None:
    raise KeyboardInterrupt


@handler("test.unprintable")
def unprintable() -> None:
    raise Unprintable


@handler("test.rubbish")
def rubbish() -> None:
    raise ValueError("\0 \ud800 " + "x" * 10_000_000)


@handler("test.large")
def large(size: int) -> str:
    return "x" * size


@handler("test.object")
def an_object() -> Any:
    return {"list": [1, object()]}


@handler("test.process")
def process() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "environment": dict(os.environ),
        "descriptors": [str(each.resolve()) for each in Path("/proc/self/fd").iterdir()],
        "session": os.getsid(0),
        "random": random.random(),
    }


@handler("test.print")
def prints(text: str = "", how: str = "stdout", count: int = 1, then: str = "") -> None:
    """Prints so often, in one of several ways, and ends in one of several."""
    for _ in range(count):
        PRINT[how](text)
    if then == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if then == "wait":
        time.sleep(600)
    if then == "close":
        sys.stdout.close()
    if then == "replace":
        sys.stderr = None
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _from_a_process_left_behind(text: str) -> None:
    if os.fork() == 0:
        os.setsid()
        os.write(1, text.encode())
        time.sleep(600)
    time.sleep(0.1)


PRINT: dict[str, Callable[[str], object]] = {
    "stdout": print,
    "stderr": lambda text: sys.stderr.write(f"{text}\n"),
    "both": lambda text: (sys.stdout.write(f"{text}\n"), sys.stderr.write(f"{text}\n")),
    "unflushed": lambda text: sys.stdout.write(text),  # noqa: PLW0108  what it is when the task prints
    "descriptor": lambda text: os.write(1, text.encode("latin-1")),
    "C": lambda text: ctypes.CDLL(None).puts(text.encode()),
    "process": lambda text: subprocess.run(["/bin/echo", text], check=True),
    "left behind": _from_a_process_left_behind,
}


@handler("test.progress")
def tells_progress(count: int, *, seconds: float = 0) -> None:
    for n in range(count):
        progress(n / count, f"step {n // 1000}")
    progress(1, "done")
    time.sleep(seconds)


def made_of(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(size % 256)


@handler("test.artifacts")
def makes_artifacts(sizes: list[int], then: str = "", after: str = "") -> str:
    """One of each size, and ends in one of several ways. `after`: a file that it waits for, and removes when done."""
    while after and not Path(after).exists():
        time.sleep(0.01)
    try:
        for size in sizes:
            artifact(made_of(size), f"{size}.bin")
    except TimeLimit:
        sys.stdout.write("interrupted\n")
        raise
    if then == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if then == "wait":
        time.sleep(600)
    if then == "raise":
        raise ValueError("after all")
    if after:
        Path(after).unlink()
    return "made"


@handler("test.artifact_of")
def makes_artifact_of(path: str, name: str = "") -> None:
    artifact(path, name or Path(path).name)


@handler("test.artifact_elsewhere")
def makes_artifact_elsewhere() -> None:
    """In a process that it forks."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply(artifact, (b"x", "x"))


@handler("test.artifact_after")
def makes_artifact_after(rounds: int) -> None:
    """In a thread that goes on when the task has ended."""

    def make() -> None:
        for number in range(rounds):
            artifact(made_of(200_000), f"late-{number}")

    threading.Thread(target=make, daemon=True).start()
    time.sleep(0.1)


class Table:
    """As those of the notebook's world are."""

    def __init__(self, html: object) -> None:
        self._html = html

    def __repr__(self) -> str:
        return "a table"

    def _repr_html_(self) -> object:
        if isinstance(self._html, Exception):
            raise self._html
        return self._html


@handler("test.table")
def table(html: str) -> Table:
    return Table(html)


@handler("test.wide_table")
def wide_table(size: int) -> Table:
    return Table("x" * size)


@handler("test.take")
def take(what: str) -> None:
    """More than it may have."""
    if what == "memory":
        bytearray(2**30)
    if what == "file":
        with tempfile.TemporaryFile() as file:
            file.write(bytes(2**22))
            file.flush()
    if what == "files":
        kept = [Path(os.devnull).open() for _ in range(100)]  # noqa: SIM115
        assert kept


@handler("test.leave")
def leave(pids: str, seconds: float = 600, end: str = "return") -> str:
    """Leaves a child and, in a session of its own below nobody, a grandchild; then it ends as asked."""
    for daemonised in (False, True):
        if os.fork() == 0:
            if daemonised:
                os.setsid()
                if os.fork():
                    os._exit(0)
            with Path(pids).open("a") as lines:
                lines.write(f"{os.getpid()}\n")
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(seconds)
            os._exit(0)
    while not Path(pids).exists() or len(Path(pids).read_text().splitlines()) < 2:
        time.sleep(0.01)
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if end == "sleep":
        time.sleep(seconds)
    return "left"


@handler("test.temporary")
def temporary() -> str:
    return tempfile.mkdtemp()


@handler("test.stubborn")
def stubborn(how: str = "", ledger: str = "") -> str:
    """Does not end when it is told to, in one of several ways."""
    if how == "in C":
        return str(sum(range(10**13)))
    if how == "blocked":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    while True:
        try:
            time.sleep(600)
        except TimeLimit:
            if how == "cleans up":
                Path(ledger).write_text("cleaned up")
                return "half of it"
            if how == "trips":
                raise ValueError("on the way out")  # noqa: B904
            if how == "leaves":
                leave(ledger, end="sleep")


@handler("test.terminate")
def terminate() -> int | None:
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    process.start()
    process.terminate()
    process.join()
    return process.exitcode


@handler("test.take_over")
def take_over() -> str:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    return "ignored from now on"


@handler("test.alarm")
def alarm() -> str:
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    return "left set"


@handler("test.intrude")
def intrude() -> None:
    """Writes to every socket that it finds."""
    for each in Path("/proc/self/fd").iterdir():
        if "socket:" in str(each.resolve()):
            os.write(int(each.name), b"\0rubbish")


@handler("test.use")
def use(megabytes: int, cpu_seconds: float) -> None:
    kept = b"x" * (megabytes * 1_000_000)
    began = time.process_time()
    while time.process_time() - began < cpu_seconds:
        pass
    assert kept
