"""pika's asyncio connection, with one write per turn of the event loop instead of three per message.

Deliveries go to their consumers past pika, see deliveries.py; all other frames are its own.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from pika.adapters.asyncio_connection import AsyncioConnection
from pika.exceptions import StreamLostError

from workers.deliveries import Whole, delivery_at, frame_end

READ_BYTES = 65_536  # at once; pika reads 4,096


class BufferedConnection(AsyncioConnection):  # type: ignore[misc]
    _buffer: bytearray | None = None
    _socket: socket.socket | None = None
    _frame_buffer: bytes  # pika's, of the frame that is not all there

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._direct: dict[tuple[int, str], Callable[[Whole], None]] = {}
        super().__init__(*arguments, **options)
        if getattr(self, "_frame_buffer", None) != b"":
            raise RuntimeError("pika keeps what it has read elsewhere: install the version in requirements.lock")

    def hand(self, channel: int, consumer: str, on_delivery: Callable[[Whole], None]) -> None:
        """Its deliveries from now on, until `leave`; but those that pika has to put together."""
        self._direct[channel, consumer] = on_delivery

    def leave(self, channel: int, consumer: str) -> None:
        """To pika, which gives back what still comes for a consumer that is cancelled."""
        self._direct.pop((channel, consumer), None)

    def emit(self, frames: bytes) -> None:
        """Ready-made frames, written with whatever else this turn has to write."""
        self._adapter_emit_data(frames)

    def abort(self, reason: str) -> None:
        """Ends it without asking the other side."""
        self._terminate_stream(StreamLostError(reason))

    def _proto_connection_made(self, transport: Any) -> None:
        transport._MAX_RECV_BYTES = READ_BYTES  # noqa: SLF001  pika has no setting for it
        if type(transport._sock) is socket.socket:  # noqa: SLF001  nothing is hidden in it, as within TLS
            self._socket = transport._sock  # noqa: SLF001
            transport._MAX_CONSUME_BYTES = 1  # noqa: SLF001  one read a turn: a second one mostly finds nothing
        super()._proto_connection_made(transport)

    def _on_data_available(self, data_in: bytes) -> None:
        """What is left at the end, of a frame that is not all there, stays with pika until more comes."""
        data, self._frame_buffer = self._frame_buffer + data_in, b""
        at = 0
        while at < len(data):
            whole = delivery_at(data, at)
            if whole and (on_delivery := self._direct.get((whole.channel, whole.consumer))):
                self.bytes_received += whole.end - at  # by which pika knows that the broker lives
                at = whole.end
                on_delivery(whole)
            else:
                end = frame_end(data, at)
                super()._on_data_available(data[at:end])
                at = end

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._buffer is None:
            self._buffer = bytearray()
            asyncio.get_running_loop().call_soon(self._flush)
        self._buffer += data

    def _flush(self) -> None:
        data, self._buffer = self._buffer, None
        if data and self._transport is not None and (rest := bytes(data[self._written(data) :])):
            super()._adapter_emit_data(rest)

    def _written(self, data: bytearray) -> int:
        """How much the system has taken at once. Mostly all: then the loop need not look whether there is room."""
        if self._socket is None or not self.is_open or self._transport.get_write_buffer_size():
            return 0
        try:
            return self._socket.send(data)
        except OSError:  # no room, or the connection is gone, which pika finds as well
            return 0
