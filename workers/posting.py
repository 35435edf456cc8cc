"""POSTs over HTTP/1.1 on the event loop: a request is one write, on a connection that is kept for the next one.

http.client and what stands on it block, so that each request would be handed to a thread and back: longer on its way
than everything else that is done for it.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

CONNECT_SECONDS = 2.0
MOST_HEAD_BYTES = 65_536
NOT_HTTP = "what answers speaks no HTTP"
_BLANK = b"\r\n\r\n"
_BODILESS = (204, 304)


class Answer(NamedTuple):
    """`keeps`: the server takes another request on the same connection."""

    status: int
    body: bytes
    keeps: bool


class NoAnswer(Exception):
    """Nothing that can be read has come in time; the text says why."""


class Door:
    """One address. Requests may overlap: each has a connection to itself."""

    def __init__(self, url: str, headers: Mapping[str, str], answer_seconds: float) -> None:
        split = urlsplit(url)
        self._host, self._tls = split.hostname or "", split.scheme == "https"
        self._port = split.port or (443 if self._tls else 80)
        self._context: ssl.SSLContext | None = None
        path, host = quote(split.path, safe="/%~"), split.netloc.rpartition("@")[2].encode("idna").decode()
        self._head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{_lines(headers)}"
        self._answer_seconds = answer_seconds
        self._idle: list[Line] = []

    async def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Raises NoAnswer; what was sent may have arrived all the same. Raises ValueError: no header can be so."""
        head = f"{self._head}{_lines(headers or {})}Content-Length: {len(body)}\r\n\r\n"
        try:
            line = self._kept() or await self._connected()
            async with asyncio.timeout(self._answer_seconds):
                answer = await line.ask(head.encode() + body)
        except OSError as error:
            raise NoAnswer(_reason(error)) from None
        if answer.keeps:
            self._idle.append(line)
        else:
            line.close()
        return answer

    def _kept(self) -> "Line | None":
        """The one used last that has been silent since."""
        while self._idle:
            line = self._idle.pop()
            if line.is_silent:
                return line
            line.close()
        return None

    async def _connected(self) -> "Line":
        if self._tls and self._context is None:
            self._context = ssl.create_default_context()
        async with asyncio.timeout(CONNECT_SECONDS):
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(Line, self._host, self._port, ssl=self._context)
        return line


class Line(asyncio.Protocol):
    """A connection, on which one request after the other is answered."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._arrived = bytearray()
        self._has_ended = False
        self._answer: asyncio.Future[Answer] | None = None

    @property
    def is_silent(self) -> bool:
        """Not closed by the other side, which has said nothing unasked."""
        return not (self._arrived or self._has_ended)

    async def ask(self, request: bytes) -> Answer:
        """Raises OSError, NoAnswer; then it is closed."""
        self._answer = asyncio.get_running_loop().create_future()
        self.send(request)
        try:
            return await self._answer
        except BaseException:
            self._transport.abort()
            raise
        finally:
            self._answer = None

    def send(self, request: bytes) -> None:
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        self._look()

    def eof_received(self) -> None:
        self._has_ended = True
        self._look()

    def connection_lost(self, error: Exception | None) -> None:
        self._has_ended = True
        self._look()
        if self._answer and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError())

    def _look(self) -> None:
        if self._answer is None or self._answer.done():
            return
        try:
            answer = answer_in(self._arrived, is_all=self._has_ended)
        except ValueError:
            self._answer.set_exception(NoAnswer(NOT_HTTP))
            return
        if answer:
            self._arrived.clear()
            self._answer.set_result(answer)


def answer_in(arrived: bytes | bytearray, *, is_all: bool) -> Answer | None:
    """None while it is not all there. Raises ValueError: this is no answer. `is_all`: no more will come."""
    head_end = arrived.find(_BLANK)
    if head_end < 0:
        if not arrived.startswith(b"HTTP/1."[: len(arrived)]) or len(arrived) > MOST_HEAD_BYTES:
            raise ValueError
        return None
    version, status, fields = _head_of(bytes(arrived[:head_end]))
    rest = arrived[head_end + len(_BLANK) :]
    if status < 200:
        return answer_in(rest, is_all=is_all)
    keeps = version == b"HTTP/1.1" and fields.get(b"connection", b"").lower() != b"close"
    if status in _BODILESS:
        return Answer(status, b"", keeps)
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = _joined(rest)
    elif b"content-length" in fields:
        size = int(fields[b"content-length"])
        body = bytes(rest[:size]) if len(rest) >= size >= 0 else None
    else:
        body, keeps = (bytes(rest) if is_all else None), False
    return None if body is None else Answer(status, body, keeps)


def _head_of(head: bytes) -> tuple[bytes, int, dict[bytes, bytes]]:
    """(version, status, fields by their names in small letters). Raises ValueError."""
    first, *lines = head.split(b"\r\n")
    version, status = first.split(None, 2)[:2]
    if not version.startswith(b"HTTP/1."):
        raise ValueError
    named = (line.partition(b":") for line in lines)
    return version, int(status), {name.strip().lower(): value.strip() for name, _, value in named}


def _joined(chunks: bytes | bytearray) -> bytes | None:
    """None while the last one is missing. Raises ValueError."""
    pieces: list[bytes] = []
    at = 0
    while (end := chunks.find(b"\r\n", at)) >= 0:
        size = int(bytes(chunks[at:end]).partition(b";")[0], 16)
        if size < 0:
            raise ValueError
        if not size:
            return b"".join(pieces) if _BLANK in chunks[end:] else None
        at = end + 2 + size + 2
        pieces.append(bytes(chunks[end + 2 : at - 2]))
    return None


def _lines(headers: Mapping[str, str]) -> str:
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise ValueError
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError) and not error.errno:
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError | socket.gaierror):
        return str(error.strerror or error).lower()
    return os.strerror(error.errno).lower() if error.errno else "the connection was closed"
