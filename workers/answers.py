"""What a child answers: how long the handler ran, and the encoded Outcome, which the worker passes on unread."""

import struct

_HEAD = struct.Struct("d?")


def pack_answer(run_seconds: float, event: bytes, *, is_last: bool = False) -> bytes:
    """`is_last`: the child takes no other task."""
    return _HEAD.pack(run_seconds, is_last) + event


def unpack_answer(answer: bytes) -> tuple[float, bool, bytes]:
    """(run_seconds, is_last, event). Raises ValueError."""
    if len(answer) < _HEAD.size:
        raise ValueError("too short for an answer")
    run_seconds, is_last = _HEAD.unpack_from(answer)
    return run_seconds, is_last, answer[_HEAD.size :]
