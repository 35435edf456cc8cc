"""Kinds that misbehave in every way that a handler can, served by the workers under test."""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from workers.registry import handler


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
def prints(text: str) -> None:
    print(text)  # noqa: T201


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
