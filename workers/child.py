"""A child process: runs one task after the other for its slot until its socket closes."""

import random
import socket
import sys
from collections.abc import Mapping

from workers.answers import pack_answer
from workers.executor import execute, flush_output
from workers.link import receive, send
from workers.messages import TaskMessage, encode_event
from workers.registry import Kind


def serve(sock: socket.socket, kinds: Mapping[str, Kind]) -> None:
    """Each body received is a TaskMessage's, each one sent an answer: see `pack_answer`."""
    _reseed()
    for body in receive(sock):
        outcome = execute(TaskMessage.decode(body), kinds)
        flush_output()
        send(sock, pack_answer(outcome.run_seconds, encode_event(outcome)))


def _reseed() -> None:
    """Children of one template would all draw the same random numbers."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
