"""One range of a file's bytes: for a download that goes on where it was cut off, and for players of sound and video."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(Exception):
    """The range begins behind the file's end."""


@dataclass(frozen=True, slots=True)
class Span:
    """From byte `first` on, before byte `end`, of `size`."""

    first: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.first

    @property
    def header(self) -> str:
        return f"bytes {self.first}-{self.end - 1}/{self.size}"


class Part:
    """A file from where it is on, for `length` bytes."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file = file
        self._left = length

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


def wanted(headers: Mapping[str, str], size: int, etag: str) -> Span | None:
    """None: all of it, also when several ranges are asked for, or one of another file. Raises Unsatisfiable."""
    found = _RANGE.fullmatch(headers.get("Range", "").replace(" ", ""))
    if not found or not (found[1] or found[2]) or headers.get("If-Range", etag) != etag:
        return None
    if not found[1]:
        first, end = max(0, size - int(found[2])), size
    else:
        first, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
    if found[1] and found[2] and int(found[2]) < first:
        return None
    if first >= size or first >= end:
        raise Unsatisfiable
    return Span(first, end, size)
