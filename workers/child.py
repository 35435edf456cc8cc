"""A child process: runs tasks one by one for its slot, until its socket closes or a task leaves processes behind."""

import os
import random
import signal
import socket
import sys
from collections.abc import Mapping

from workers import tree
from workers.answers import pack_answer
from workers.executor import execute, flush_output
from workers.link import receive, send
from workers.messages import TaskMessage, encode_event
from workers.registry import Kind
from workers.timelimit import Limit


def serve(sock: socket.socket, kinds: Mapping[str, Kind]) -> None:
    """Each body received is a TaskMessage's, each one sent an answer: see `pack_answer`."""
    _reseed()
    tree.adopt_orphans()
    limit = Limit()
    limit.install()
    forked: list[bool] = []
    os.register_at_fork(after_in_child=lambda: forked.append(True))
    for body in receive(sock):
        outcome = execute(TaskMessage.decode(body), kinds, limit)
        signal.alarm(0)  # one that the task has left set would hit the next one
        flush_output()
        if forked:
            return  # what the task has forked has run to the task's end
        is_last = _end_leftovers()
        send(sock, pack_answer(outcome.run_seconds, encode_event(outcome), is_last=is_last))
        if is_last:
            return


def _end_leftovers() -> bool:
    """Kills what the task has left running; whether there was anything."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    tree.kill_below(os.getpid())
    return True


def _reseed() -> None:
    """Children of one template would all draw the same random numbers."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
