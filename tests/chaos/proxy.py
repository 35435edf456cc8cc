"""TCP proxies between the parts of a stack and its broker, each of which can be made a bad line for a while."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Literal

Line = Literal["good", "drop", "reset", "black hole", "delay"]
DELAY_SECONDS = 0.2
CHUNK = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Proxies:
    """One for each name, on a port of its own. `ports[name]` leads to `target` on this machine."""

    def __init__(self, names: Sequence[str], target: int) -> None:
        # Held from here on: a port that is only chosen may be chosen twice.
        self._sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
        self.ports: dict[str, int] = {name: each.getsockname()[1] for name, each in self._sockets.items()}
        self._target = target
        self._lines: dict[str, Line] = dict.fromkeys(names, "good")
        self._open: dict[str, set[asyncio.StreamWriter]] = {name: set() for name in names}
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._up = threading.Event()

    def start(self) -> None:
        self._thread.start()
        self._up.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def set(self, name: str, line: Line) -> None:
        """Also for the connections that there are."""
        self._loop.call_soon_threadsafe(self._set, name, line)

    def _set(self, name: str, line: Line) -> None:
        self._lines[name] = line
        for writer in list(self._open[name]) if line in ("drop", "reset") else ():
            _cut(writer, line)
        self._changed.set()
        self._changed = asyncio.Event()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for name, each in self._sockets.items():
            self._loop.run_until_complete(self._listen(name, each))
        self._up.set()
        self._loop.run_forever()

    async def _listen(self, name: str, listening: socket.socket) -> None:
        async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(name, reader, writer)

        await asyncio.start_server(on_connect, sock=listening)

    async def _serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._lines[name] in ("drop", "reset"):
            _cut(writer, self._lines[name])
            return
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _cut(writer, "drop")
            return
        both = {writer, to_writer}
        self._open[name] |= both
        ways = [self._carry(name, reader, to_writer), self._carry(name, to_reader, writer)]
        with contextlib.suppress(OSError):
            await asyncio.wait([asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
        self._open[name] -= both
        for each in both:
            _cut(each, "drop")

    async def _carry(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                while self._lines[name] == "black hole":
                    await self._changed.wait()
                if self._lines[name] == "delay":
                    await asyncio.sleep(DELAY_SECONDS)
                writer.write(data)
                await writer.drain()


def _cut(writer: asyncio.StreamWriter, line: Line) -> None:
    if line == "reset":
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.close()
