"""Gunicorn's worker: a thread stays with who has asked again; what is no request is refused in our words."""

import select
from contextlib import suppress
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
    def handle(self, conn: Any) -> Any:
        """Programs ask one thing after the other, and what follows is there when the work after an answer is done.

        To hand the connection to the main thread and take it back costs a fifth of a millisecond, as much as Django
        does for a small request. No thread stays while another connection waits for one.
        """
        stays = super().handle(conn)
        waiting = self.tpool._work_queue  # noqa: SLF001 nothing else tells who waits
        while stays is True and self.alive and waiting.empty() and _has_asked_again(conn):
            stays = super().handle(conn)
        return stays

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


def _has_asked_again(conn: Any) -> bool:
    if conn.parser.unreader.buf.getvalue():  # it was read together with the last request
        return True
    arrived = select.poll()
    arrived.register(conn.sock, select.POLLIN)
    return bool(arrived.poll(0))


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
