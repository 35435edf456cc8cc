"""What a handler gives as an artifact, read piece by piece in the handler's own process and with its own rights."""

import mimetypes
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import BinaryIO

from workers.artifacts import LARGEST, OCTETS, is_content_type, wrong_name
from workers.pieces import MOST_DATA

Source = str | PathLike[str] | bytes | bytearray | memoryview
_TYPES = mimetypes.MimeTypes()  # made before a task is shut in, where the system's lists may not be read
_STARTS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class ArtifactRefused(ValueError):
    """It cannot be kept; the text says what is wrong, the limit, and what to do."""


def check_name(name: object) -> str:
    """Raises ArtifactRefused."""
    if not isinstance(name, str):
        raise ArtifactRefused(f"the name of an artifact is a text, not a {type(name).__name__}: artifact(source, name)")
    if wrong := wrong_name(name):
        raise ArtifactRefused(wrong)
    return name


def type_of(name: str, given: object) -> str:
    """The content type. Raises ArtifactRefused."""
    if given is None:
        return _TYPES.guess_type(name, strict=False)[0] or OCTETS
    found = given.strip().lower() if isinstance(given, str) else ""
    if not is_content_type(found):
        raise ArtifactRefused(f"content_type must be one such as text/csv (got {given!r:.100})")
    return found


def image_type(data: bytes) -> str:
    """Of bytes that begin as a PNG or JPEG does; else ""."""
    return next((found for start, found in _STARTS.items() if data.startswith(start)), "")


@contextmanager
def pieces_of(source: object, most: int) -> Iterator[Iterator[bytes]]:
    """Its bytes, all pieces but the last one full. Raises ArtifactRefused, at once or while they are read."""
    if isinstance(source, bytes | bytearray | memoryview):
        data = memoryview(source).cast("B")
        _check_size(data.nbytes, most)
        yield (bytes(data[at : at + MOST_DATA]) for at in range(0, data.nbytes, MOST_DATA))
        return
    if not isinstance(source, str | PathLike):
        raise ArtifactRefused(f"an artifact is made of a file's path or of bytes, not of a {type(source).__name__}")
    with _opened(source) as file:
        _check_size(os.fstat(file.fileno()).st_size, most)
        yield _read(file, most)


def _opened(path: str | PathLike[str]) -> BinaryIO:
    """Not waiting: who opens a pipe without a writer waits for ever."""
    shown = repr(os.fspath(path))[:300]
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        hint = "; a text is given as bytes: artifact(text.encode(), name)" if isinstance(path, str) else ""
        raise ArtifactRefused(f"the file {shown} cannot be read: {why}{hint}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactRefused(f"{shown} is no file but a folder, a pipe or a device; an artifact is made of a file")
    return os.fdopen(descriptor, "rb")


def _read(file: BinaryIO, most: int) -> Iterator[bytes]:
    size = 0
    while data := file.read(MOST_DATA):
        size += len(data)
        _check_size(size, most)  # it may grow meanwhile
        yield data


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise ArtifactRefused(
            f"an artifact has at most {most:,} bytes here, by {LARGEST} (this one has {size:,} or more); "
            "compress it, or store it elsewhere and return where"
        )
