"""Frames on the stream between worker and template: four bytes of length, then the body."""

import asyncio
import socket
from collections.abc import Callable, Iterator

_HEAD = 4


def pack(body: bytes) -> bytes:
    return len(body).to_bytes(_HEAD, "big") + body


class _Unpacker:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        data = self._rest + data if self._rest else data
        at = 0
        while (end := _frame_end(data, at)) <= len(data):
            yield data[at + _HEAD : end]
            at = end
        self._rest = data[at:]


class Pipe(asyncio.Protocol):
    """The worker's end of such a socket, on its event loop."""

    def __init__(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._unpacker = _Unpacker()

    @classmethod
    async def over(cls, sock: socket.socket, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        sock.setblocking(False)
        await asyncio.get_running_loop().create_connection(lambda: cls(on_frame, on_lost), sock=sock)

    def data_received(self, data: bytes) -> None:
        for frame in self._unpacker.feed(data):
            self._on_frame(frame)

    def connection_lost(self, _error: Exception | None) -> None:
        self._on_lost()


def _frame_end(data: bytes, at: int) -> int:
    """Where the frame that begins here ends; past all data while even its length is incomplete."""
    if len(data) - at < _HEAD:
        return len(data) + 1
    return at + _HEAD + int.from_bytes(data[at : at + _HEAD], "big")
