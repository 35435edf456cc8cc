"""Deliveries as they stand in what the broker sends: pika makes objects of the three frames of each.

Only those that are there whole, in three frames, which is nearly all: anything else is left to pika.
"""

import struct
from typing import Any, NamedTuple

from pika import BasicProperties

_METHOD_FRAME, _HEADER_FRAME, _BODY_FRAME, _FRAME_END = 1, 2, 3, 0xCE
_DELIVER = 60 << 16 | 60  # class and method
_METHOD = struct.Struct(">BHLLB")  # type, channel, length; method, length of the consumer's tag
_NUMBER = struct.Struct(">QB")  # of the delivery; redelivered
_HEADER = struct.Struct(">BHL4xQH")  # type, channel, length; the body's size, which properties there are
_FRAME = struct.Struct(">BHL")  # type, channel, length
_MORE = _FRAME.size + 1  # than its length: a frame's head and its end
_PROPERTIES_AT = _HEADER.size - 2
_HAS_HEADERS = 1 << 13


class Whole(NamedTuple):
    """A delivery. `end`: where the next frame begins."""

    channel: int
    consumer: str
    tag: int
    redelivered: bool
    headers: dict[str, Any]
    body: bytes
    end: int


def delivery_at(data: bytes, at: int) -> Whole | None:
    """The one that begins here; None when something else does, or it is not all there."""
    try:
        kind, channel, length, method, tag_length = _METHOD.unpack_from(data, at)
        if kind != _METHOD_FRAME or method != _DELIVER:
            return None
        tag_at = at + _METHOD.size
        tag, redelivered = _NUMBER.unpack_from(data, tag_at + tag_length)
        header_at = at + length + _MORE
        kind, header_channel, length, size, properties = _HEADER.unpack_from(data, header_at)
        body_at = header_at + length + _MORE
        end = body_at + size + _MORE if size else body_at
        if (kind, header_channel) != (_HEADER_FRAME, channel) or data[end - 1] != _FRAME_END:
            return None
        if size and _FRAME.unpack_from(data, body_at) != (_BODY_FRAME, channel, size):
            return None
    except (struct.error, IndexError):
        return None
    consumer = data[tag_at : tag_at + tag_length].decode()
    headers = _headers(data[header_at + _PROPERTIES_AT : body_at - 1]) if properties & _HAS_HEADERS else {}
    return Whole(channel, consumer, tag, redelivered == 1, headers, data[body_at + _FRAME.size : end - 1], end)


def frame_end(data: bytes, at: int) -> int:
    """Where the frame that begins here ends; beyond the data when it is not all there."""
    if len(data) - at < _FRAME.size:
        return len(data) + 1
    return at + int(_FRAME.unpack_from(data, at)[2]) + _MORE


def _headers(properties: bytes) -> dict[str, Any]:
    return BasicProperties().decode(properties).headers or {}
