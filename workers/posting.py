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

import httptools

CONNECT_SECONDS = 2.0
MOST_HEAD_BYTES = 65_536
NOT_HTTP = "what answers speaks no HTTP"
LENGTHS = (b"content-length", b"transfer-encoding")


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
        self._has_ended = False
        self._has_spoken = False
        self._answer: asyncio.Future[Answer] | None = None
        self._reading = Reading()

    @property
    def is_silent(self) -> bool:
        """Not closed by the other side, which has said nothing unasked."""
        return not (self._has_spoken or self._has_ended)

    async def ask(self, request: bytes) -> Answer:
        """Raises OSError, NoAnswer; then it is closed."""
        self._answer, self._reading = asyncio.get_running_loop().create_future(), Reading()
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
        if self._answer is None or self._answer.done():
            self._has_spoken = True
            return
        try:
            answer = self._reading.feed(data)
        except httptools.HttpParserError:
            self._answer.set_exception(NoAnswer(NOT_HTTP))
            return
        if answer:
            self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._has_ended = True
        if self._answer and not self._answer.done():
            answer = self._reading.end()
            if answer:
                self._answer.set_result(answer)
            else:
                self._answer.set_exception(error or ConnectionResetError())


class Reading:
    """An answer while it arrives; the parser calls what begins with `on_`."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._head_bytes = 0
        self._has_head = self._has_length = False
        self._body = bytearray()
        self._answer: Answer | None = None

    def feed(self, data: bytes) -> Answer | None:
        """None while it is not all there. Raises HttpParserError: this is none."""
        self._head_bytes += 0 if self._has_head else len(data)
        self._parser.feed_data(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self._has_head:
            raise httptools.HttpParserError
        return self._answer

    def end(self) -> Answer | None:
        """One that has not told its length ends with its connection."""
        if self._has_head and not self._has_length:
            self._finish(keeps=False)
        return self._answer

    def on_message_begin(self) -> None:
        if self._answer:  # to a question that nobody has asked
            self._answer = self._answer._replace(keeps=False)

    def on_header(self, name: bytes, _value: bytes) -> None:
        self._has_length = self._has_length or name.lower() in LENGTHS

    def on_headers_complete(self) -> None:
        self._has_head = self._parser.get_status_code() >= 200  # else another one follows

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._has_head and not self._answer:
            self._finish(keeps=self._parser.should_keep_alive())

    def _finish(self, *, keeps: bool) -> None:
        self._answer = Answer(self._parser.get_status_code(), bytes(self._body), keeps)


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
