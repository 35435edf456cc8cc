"""What a child answers: how long the handler ran, then the encoded Outcome, which the worker passes on unread."""

import struct

_SECONDS = struct.Struct("d")


def pack_answer(run_seconds: float, event: bytes) -> bytes:
    return _SECONDS.pack(run_seconds) + event


def unpack_answer(answer: bytes) -> tuple[float, bytes]:
    """(run_seconds, event). Raises ValueError."""
    if len(answer) < _SECONDS.size:
        raise ValueError("too short for an answer")
    (run_seconds,) = _SECONDS.unpack_from(answer)
    return run_seconds, answer[_SECONDS.size :]
