"""HTTP with connections that are kept, one a thread; sends again only what is safe to be sent twice."""

from __future__ import annotations

import http.client
import json
import os
import random
import selectors
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from millrace.errors import Error, Misconfigured, NotAllowed, NotFound, Problem, Refused, ServerFault, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
AGAIN = frozenset({408, 502, 503, 504})
TOO_MUCH = 429
AGENT = "millrace-client"


def encoded(value: object, *field: str) -> bytes:
    """As JSON. Raises Refused, with this `field`, for what it cannot hold, such as a datetime or an infinity."""
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        no_number = "NaN and the infinities are no numbers there: leave them out, or give None or text"
        why = no_number if str(error).startswith("Out of range float") else error
        raise Refused([Problem(field, f"cannot be written as JSON ({why})", "INVALID")]) from error


class Transport:
    """`timeout_seconds`: for one answer. `patience_seconds`: for how long what is safe is sent again."""

    def __init__(self, url: str, token: str, timeout_seconds: float, patience_seconds: float) -> None:
        self.url = url
        self._parts = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": AGENT}
        self._timeout = timeout_seconds
        self._patience = patience_seconds
        self._mine = threading.local()
        self._tls = ssl.create_default_context() if self._parts.scheme == "https" else None

    def ask(self, document: str, variables: dict[str, Any], *, safe: bool) -> dict[str, Any]:
        """The answer's `data`. `safe`: it may be sent again when nobody knows whether it arrived. Raises Error."""
        body = encoded({"query": document, "variables": variables})
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        end = time.monotonic() + self._patience
        pause = FIRST_PAUSE
        while True:
            wait = pause * random.uniform(0.5, 1)  # noqa: S311 so that many clients do not come back together
            try:
                with self._answer("POST", f"{self._parts.path}/graphql/", body, headers) as answer:
                    wait = max(wait, _seconds(answer.headers.get("Retry-After", "")))
                    return _data(answer.status, answer.read(), self.url)
            except (Unreachable, _Later) as error:
                nothing_done = isinstance(error, _NotSent | _Later)
                if not (safe or nothing_done) or time.monotonic() + wait > end:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)

    @contextmanager
    def get(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """A file, by its path on the host. Raises Error."""
        with self._answer("GET", path, None, {}) as answer:
            if answer.status == 404:
                raise NotFound("there is no such file (any more)")
            if answer.status != 200:
                _data(answer.status, answer.read(), self.url)
            yield answer

    def close(self) -> None:
        """The connection of this thread."""
        if connection := getattr(self._mine, "connection", None):
            connection.close()
        self._mine.connection = None

    @contextmanager
    def _answer(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        connection = self._connected()
        answer: http.client.HTTPResponse | None = None
        try:
            connection.request(method, path, body, {**self._headers, **headers})
            answer = connection.getresponse()
            yield answer
            with suppress(OSError):
                answer.read()  # what is left of it, so that the connection can be used again
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{self.url} does not answer as it should: {_why(error)}") from error
        except BaseException:
            if answer is None or not answer.isclosed():
                self.close()  # in the middle of it
            raise

    def _connected(self) -> http.client.HTTPConnection:
        """Raises _NotSent."""
        connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        is_own = getattr(self._mine, "process", 0) == os.getpid()  # a fork must not speak on its parent's
        if connection and is_own and not _was_closed(connection):
            return connection
        self.close()
        host, port = self._parts.hostname or "", self._parts.port
        if self._tls:
            connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        try:
            connection.connect()
        except OSError as error:
            raise _NotSent(f"{self.url} cannot be reached: {_why(error)}") from error
        self._mine.connection, self._mine.process = connection, os.getpid()
        return connection


class _NotSent(Unreachable):
    """Nothing was sent: whatever it was, it may be tried again."""


class _Later(Refused):
    """It was too much for now, so nothing was done: whatever it was, it may be tried again."""

    def __init__(self, message: str) -> None:
        super().__init__([Problem((), message, "RATE_LIMITED")])


def _was_closed(connection: http.client.HTTPConnection) -> bool:
    """By the other side, while nobody used it: there is something to read, which can only be its end."""
    if connection.sock is None:
        return True
    try:
        with selectors.DefaultSelector() as selector:  # select.select fails from descriptor 1,024 on
            selector.register(connection.sock, selectors.EVENT_READ)
            return bool(selector.select(0))
    except (OSError, ValueError):  # somebody else has closed it
        return True


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, http.client.HTTPException):
        return f"{type(error).__name__} {error}".strip()
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _seconds(retry_after: str) -> float:
    """0 for a date, which no server of ours sends."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _data(status: int, body: bytes, url: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    told = answer if isinstance(answer, dict) else {}
    match told.get("errors"):
        case [{} as first, *_]:
            raise _error(status, first, url)
    if status == TOO_MUCH:
        raise _Later(f"{url} takes no more for now (HTTP {status})")
    if status in AGAIN:
        raise Unreachable(f"{url} is not available now (HTTP {status})")
    if status >= 500:
        raise Unreachable(f"{url} does not answer as it should (HTTP {status})")
    data: dict[str, Any] | None = told.get("data")
    if status != 200 or not isinstance(data, dict):
        raise Misconfigured(f"{url} does not answer as Millrace does (HTTP {status}): check MILLRACE_URL")
    return data


def _error(status: int, error: dict[str, Any], url: str) -> Error:
    message = str(error.get("message", ""))
    code = (error.get("extensions") or {}).get("code", "INTERNAL")
    if code == "UNAUTHENTICATED":
        return NotAllowed(f"the token is not valid at {url}: make a new one")
    if code == "FORBIDDEN":
        return NotAllowed(message)
    if code == "NOT_FOUND":
        return NotFound(message)
    if code == "UNAVAILABLE" or status in AGAIN:
        return Unreachable(message)
    if code == "INTERNAL":
        return ServerFault(message)
    return _Later(message) if status == TOO_MUCH else Refused([Problem((), message, code)])
