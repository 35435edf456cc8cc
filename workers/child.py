"""A child process: runs tasks one by one for its slot, until its socket closes or a task leaves processes behind."""

import ctypes
import os
import signal
import socket
import threading
from collections.abc import Mapping

from workers import limits, tree
from workers.answers import pack_answer
from workers.chance import reseed
from workers.executor import execute
from workers.link import receive, send
from workers.messages import Outcome, TaskMessage, encode_event
from workers.registry import Kind
from workers.streams import Streams
from workers.task import current
from workers.timelimit import Limit
from workers.usage import Usage


def serve(sock: socket.socket, streams: Streams, kinds: Mapping[str, Kind]) -> None:
    """Each body received is a TaskMessage's, each one sent an answer or a note: see answers.py."""
    limits.keep(limits.read(os.environ))
    reseed()
    tree.adopt_orphans()
    limit, usage, say = Limit(), Usage(), _Mouth(sock)
    limit.install()
    forked: list[bool] = []
    os.register_at_fork(after_in_child=lambda: forked.append(True))
    for body in receive(sock):
        message = TaskMessage.decode_checked(body)
        current.begin(message.task, message.attempt, say)
        outcome = execute(message, kinds, limit, usage)
        current.end()
        signal.alarm(0)  # one that the task has left set would hit the next one
        streams.flush()
        if forked:
            return  # what the task has forked has run to the task's end
        is_last = _end_leftovers()
        if not is_last:
            streams.renew()
            streams.wait_until_read()
        say.answer(outcome, is_last=is_last)
        if is_last:
            return


class _Mouth:
    """One says something at a time: a thread that a task has left may still tell of progress."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()

    def __call__(self, body: bytes) -> None:
        with self._lock:
            send(self._sock, body)

    def answer(self, outcome: Outcome, *, is_last: bool) -> None:
        self(pack_answer(outcome.run_seconds, encode_event(outcome), is_last=is_last))


def _end_leftovers() -> bool:
    """Kills what the task has left running; whether there was anything."""
    while (ended := _waitpid(-1, None, os.WNOHANG)) > 0:
        pass
    if ended < 0:
        return False
    tree.kill_below(os.getpid())
    return True


# os.waitpid() would raise when there is no child, which is the rule, and to raise takes longer than to ask.
_waitpid = ctypes.PyDLL(None).waitpid
