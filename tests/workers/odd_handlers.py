"""Kinds that misbehave in every way that a handler can, served by the workers under test."""

import os
import random
import signal
import sys
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
