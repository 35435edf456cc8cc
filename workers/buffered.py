"""pika's asyncio connection, with one write per turn of the event loop instead of three per message."""

import asyncio

from pika.adapters.asyncio_connection import AsyncioConnection
from pika.exceptions import StreamLostError


class BufferedConnection(AsyncioConnection):  # type: ignore[misc]
    _buffer: bytearray | None = None

    def emit(self, frames: bytes) -> None:
        """Ready-made frames, written with whatever else this turn has to write."""
        self._adapter_emit_data(frames)

    def abort(self, reason: str) -> None:
        """Ends it without asking the other side."""
        self._terminate_stream(StreamLostError(reason))

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._buffer is None:
            self._buffer = bytearray()
            asyncio.get_running_loop().call_soon(self._flush)
        self._buffer += data

    def _flush(self) -> None:
        data, self._buffer = self._buffer, None
        if data and self._transport is not None:
            super()._adapter_emit_data(bytes(data))
