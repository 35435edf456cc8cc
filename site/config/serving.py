"""Gunicorn's worker, which says in our words what it refuses by itself before Django hears of it."""

from typing import Any

from django.http import HttpRequest
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
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


class Worker(ThreadWorker):  # type: ignore[misc]
    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        if isinstance(exc, LimitRequestLine):
            sentence = TOO_LONG.format(limit=self.cfg.limit_request_line)
            self._refuse(client, exc, "414 URI Too Long", "Too long an address", sentence)
        elif isinstance(exc, LimitRequestHeaders):
            limits = self.cfg.limit_request_fields, self.cfg.limit_request_field_size
            sentence = TOO_MUCH.format(fields=limits[0], limit=limits[1])
            self._refuse(client, exc, "431 Request Header Fields Too Large", "Too much in the headers", sentence)
        else:
            super().handle_error(req, client, addr, exc)

    def _refuse(self, client: Any, reason: BaseException, status: str, title: str, sentence: str) -> None:
        self.log.warning("%s: %s", status, reason)
        write_nonblock(client, _page(status, title, sentence))


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
