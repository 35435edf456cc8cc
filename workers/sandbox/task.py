"""A confined process: waits for its one task, runs it, answers, ends."""

import contextlib
import resource
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from io import TextIOWrapper

from workers.answers import pack_answer
from workers.chance import reseed
from workers.link import receive, send
from workers.messages import Outcome, TaskMessage, encode_event
from workers.sandbox import ending, rlimits
from workers.task import current
from workers.timelimit import STOP_SECONDS, Limit


def serve(sock: socket.socket) -> None:
    """The body received is a TaskMessage's; sent are notes, pieces of artifacts, and one answer."""
    limit = Limit()
    limit.install()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the worker was started in the background
    reseed()
    _print_by_line()
    body = next(receive(sock), None)
    if body is None:
        return
    message = TaskMessage.decode(body)
    if message.timeout_seconds is not None:
        rlimits.restrict_processor(message.timeout_seconds + STOP_SECONDS)
    one_at_a_time = threading.Lock()

    def say(body: bytes) -> None:
        with one_at_a_time:
            send(sock, body)

    current.begin(message.task, message.attempt, say)
    outcome = ending.run(message, limit)
    current.end()
    _flush()
    signal.alarm(0)
    outcome = _with_usage(outcome)
    say(pack_answer(outcome.run_seconds, encode_event(outcome), is_last=True))


def _with_usage(outcome: Outcome) -> Outcome:
    """A process that runs one task has used all that it has used for that."""
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return replace(outcome, cpu_seconds=round(time.process_time(), 6), peak_bytes=peak_bytes)


def _print_by_line() -> None:
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115  empty
    sys.stdout = sys.__stdout__ = _printing_to(1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _printing_to(2)  # type: ignore[misc]


def _printing_to(descriptor: int) -> TextIOWrapper:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _flush() -> None:
    for stream in {id(each): each for each in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}.values():
        with contextlib.suppress(BaseException):  # closed or replaced by the code; its own affair
            stream.flush()  # type: ignore[union-attr]
