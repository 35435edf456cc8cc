"""Gunicorn's worker: a thread stays with who has asked again; what is no request is refused in our words."""

import select
import time
from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any

from django.http import HttpRequest
from gunicorn.http.errors import (
    ConfigurationProblem,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from config import errors
from config.content_policy import POLICY

STAY_SECONDS = 10.0  # twice the pause between the sink's signs of life
LOOK_SECONDS = 0.25  # whether somebody waits, or the worker is to stop
TOO_LONG = "This address is longer than {limit:,} bytes. Shorten it: of a search, look for less at once."
TOO_MUCH = (
    "The browser sends more than {fields} headers, or more than {limit:,} bytes in one, most likely cookies that other "
    "programs have set for this address. Delete the cookies of this address in the browser's settings, then sign in "
    "again."
)
CODING = "The body is sent in a way (Transfer-Encoding) that is not understood here. Send it plain, with its length."
NO_HTTP = "What arrived is no request as a browser sends it, so nothing was done."
FAULT = "Something went wrong on our side; the log has the details."
OURS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)


class Worker(ThreadWorker):  # type: ignore[misc]
    """A program asks one thing after the other, so a thread stays with it: to hand its connection to the main thread
    and take it back costs a fifth of a millisecond, as much as Django does for a small request.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stays = BoundedSemaphore(max(1, self.cfg.threads // 2))  # the others are there for everybody else

    def handle(self, conn: Any) -> Any:
        """No thread stays while another connection waits for one."""
        goes_on = super().handle(conn)
        while goes_on is True and self.alive and self._has_asked_again(conn):
            goes_on = super().handle(conn)
        return goes_on

    def handle_request(self, req: Any, conn: Any) -> Any:
        conn.is_program = any(name == "AUTHORIZATION" for name, _ in req.headers)
        return super().handle_request(req, conn)

    def _has_asked_again(self, conn: Any) -> bool:
        if _has_arrived(conn, 0):
            return self._none_waits()
        if not conn.is_program or not self._stays.acquire(blocking=False):
            return False
        try:
            return self._asks_again(conn, time.monotonic() + STAY_SECONDS)
        finally:
            self._stays.release()

    def _asks_again(self, conn: Any, until: float) -> bool:
        while self.alive and self._none_waits() and time.monotonic() < until:
            if _has_arrived(conn, LOOK_SECONDS):
                return True
        return False

    def _none_waits(self) -> bool:
        return bool(self.tpool._work_queue.empty())  # noqa: SLF001 nothing else tells

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002 gunicorn's
        if isinstance(exc, LimitRequestLine):
            sentence = TOO_LONG.format(limit=self.cfg.limit_request_line)
            self._refuse(client, str(exc), "414 URI Too Long", "Too long an address", sentence)
        elif isinstance(exc, LimitRequestHeaders):
            limits = self.cfg.limit_request_fields, self.cfg.limit_request_field_size
            sentence = TOO_MUCH.format(fields=limits[0], limit=limits[1])
            self._refuse(client, str(exc), "431 Request Header Fields Too Large", "Too much in the headers", sentence)
        elif isinstance(exc, UnsupportedTransferCoding):
            self._refuse(client, type(exc).__name__, "501 Not Implemented", "Not understood", CODING)
        elif isinstance(exc, ParseException) and not isinstance(exc, OURS):
            # Its text quotes what was sent, in which a link or a token may stand.
            self._refuse(client, type(exc).__name__, "400 Bad Request", "Not understood", NO_HTTP)
        else:
            self.log.error("a request failed outside of Django", exc_info=exc)
            self._answer(client, "500 Internal Server Error", "This did not work", FAULT)

    def _refuse(self, client: Any, reason: str, status: str, title: str, sentence: str) -> None:
        self.log.warning("%s: %s", status, reason)
        self._answer(client, status, title, sentence)

    def _answer(self, client: Any, status: str, title: str, sentence: str) -> None:
        with suppress(OSError):  # whoever sent it has gone
            write_nonblock(client, _page(status, title, sentence))


def _has_arrived(conn: Any, seconds: float) -> bool:
    """Or does within so many seconds."""
    if conn.parser.unreader.buf.getvalue():  # it was read together with the last request
        return True
    arrived = select.poll()
    arrived.register(conn.sock, select.POLLIN)
    return bool(arrived.poll(seconds * 1000))


def _page(status: str, title: str, sentence: str) -> bytes:
    page = errors.answer(HttpRequest(), int(status[:3]), title, sentence).content
    head = (
        f"HTTP/1.1 {status}",
        "Connection: close",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(page)}",
        f"Content-Security-Policy: {POLICY}",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "Referrer-Policy: same-origin",
        "Cross-Origin-Opener-Policy: same-origin",
        "HX-Reswap: none",  # who searches while typing keeps the table
    )
    return "\r\n".join([*head, "", ""]).encode() + page
