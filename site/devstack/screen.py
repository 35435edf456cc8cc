"""What a person sees of a start: one calm line per step, also piped, narrow, or into a pipe that nobody reads."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop(Exception):
    """2: what a person can put right before starting again; 1: it was tried and failed."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


class _Line:
    """Whether a step's line is still open: whoever speaks meanwhile begins a new one."""

    is_open = False


def say(line: str) -> None:
    _end_line()
    _write(line + "\n")


def complain(sentence: str, kind: str = "error") -> None:
    _end_line()
    sys.stderr.write(f"{kind}: {sentence}\n")
    sys.stderr.flush()


def run(main: Callable[[], object]) -> int:
    """Run a program of ours; its exit code is what `main` returns, if a number. A Stop is one line, no traceback."""
    open_closed()
    try:
        code = main()
        return code if isinstance(code, int) else 0
    except Stop as stop:
        complain(str(stop))
        return stop.code
    except OSError as error:  # a full disk, a folder that is not ours: the path says it all
        complain(f"{error.filename or 'the system'}: {(error.strerror or str(error)).lower()}")
        return 1
    except KeyboardInterrupt:
        _end_line()
        return 130


def open_closed() -> None:
    """`bin/dev >&-`: else the next file that is opened would stand where output goes."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+" if number else "r"))  # noqa: SIM115, PTH123 for as long as it runs


@contextmanager
def step(name: str, since: float | None = None) -> Iterator[None]:
    """`name ... 12.3 s`: the name at once, the time when it is done; in a terminal the seconds are counted meanwhile.

    `since` is for what began earlier, beside other steps (a `time.monotonic()`).
    """
    started = since or time.monotonic()
    done = threading.Event()
    _write(f"{name} ...")
    _Line.is_open = True
    if sys.stdout.isatty():
        threading.Thread(target=_count, args=(name, started, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()
    if not _Line.is_open:
        _write(f"{name} ...")  # again, because somebody spoke
    _write(f" {time.monotonic() - started:.1f} s\n")
    _Line.is_open = False


def _count(name: str, started: float, done: threading.Event) -> None:
    while not done.wait(1):
        if _Line.is_open:
            _write(f"\r{name} ... {time.monotonic() - started:.0f} s\r{name} ...")


def _end_line() -> None:
    if _Line.is_open:
        _write("\n")
    _Line.is_open = False


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        say_no_more()  # `bin/dev | head`: the reader has seen enough, and the stack goes on


def say_no_more() -> None:
    """What is printed from now on, and what is still to be written, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
