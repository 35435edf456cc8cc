"""What a child says: an answer for each task, and notes about the one that runs, which the worker passes on unread.

An answer is how long the handler ran, and the encoded Outcome; a note is an encoded event.
"""

import struct
from typing import NamedTuple

_HEAD = struct.Struct("cd?")
_ANSWER, _NOTE = b"A", b"N"


class Answer(NamedTuple):
    """`run_seconds` of the handler; `is_last`: the child takes no other task; `event`: the encoded Outcome."""

    run_seconds: float
    is_last: bool
    event: bytes


def pack_answer(run_seconds: float, event: bytes, *, is_last: bool = False) -> bytes:
    """`is_last`: the child takes no other task."""
    return _HEAD.pack(_ANSWER, run_seconds, is_last) + event


def pack_note(event: bytes) -> bytes:
    return _NOTE + event


def unpack_answer(answer: bytes) -> Answer:
    """Raises ValueError."""
    if len(answer) < _HEAD.size or answer[:1] != _ANSWER:
        raise ValueError("not an answer")
    _, run_seconds, is_last = _HEAD.unpack_from(answer)
    return Answer(run_seconds, is_last, answer[_HEAD.size :])


def is_answer(said: bytes) -> bool:
    return said[:1] == _ANSWER


def note_in(said: bytes) -> bytes:
    """The note's event; b"" when it is no note."""
    return said[1:] if said[:1] == _NOTE else b""
