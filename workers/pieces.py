"""What a child sends of an artifact: a beginning, its bytes, an end; each fits one packet, so none is sent by half.

A time limit may interrupt the task between any two of them: the next beginning, or the outcome, ends what is open.
"""

import struct
from typing import NamedTuple

_HEAD = struct.Struct(">cQIIc")
_PIECE = b"P"
BEGIN, DATA, END = b"b", b"d", b"e"
MOST_DATA = 61_440  # with its head below what a packet of link.py holds


class Piece(NamedTuple):
    """`nth`: counts the beginnings of an attempt. `data`: of a beginning the encoded Label, of an end nothing."""

    task: int
    attempt: int
    nth: int
    sort: bytes
    data: bytes


def pack_piece(piece: Piece) -> bytes:
    return _HEAD.pack(_PIECE, piece.task, piece.attempt, piece.nth, piece.sort) + piece.data


def piece_in(said: bytes) -> Piece | None:
    """None when it is something else."""
    if said[:1] != _PIECE or len(said) < _HEAD.size:
        return None
    _, task, attempt, nth, sort = _HEAD.unpack_from(said)
    return Piece(task, attempt, nth, sort, said[_HEAD.size :])
