"""A poll of one open table, from the request to the answer within the web process: no socket, no HTTP to be parsed.

The application is the very object that gunicorn serves, with what it does at its start.
"""

import io
import re
import sys
import time
from html import unescape
from typing import Any

LIVE = re.compile(r'<div id="live"[^>]*>')


class OpenTable:
    """The first page of `person`, as their browser holds it; it asks again with the tag of the last answer."""

    def __init__(self, person: Any) -> None:
        from django.test import Client

        from config.wsgi import application

        self._serve: Any = application
        client = Client(headers={"host": "localhost"})
        client.force_login(person)
        self._cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self._tag = ""
        _, page, _ = self._ask("/tasks/")
        self._address, self._tag = (of_live(page.decode(), name) for name in ("hx-get", "hx-ptag"))

    def poll(self) -> tuple[str, int, float]:
        """The status, the size of the body, the milliseconds."""
        status, body, took = self._ask(self._address, HTTP_HX_REQUEST="true", HTTP_HX_PTAG=self._tag)
        return status, len(body), took

    def _ask(self, address: str, **headers: str) -> tuple[str, bytes, float]:
        path, _, query = address.partition("?")
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": self._cookies,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
            **headers,
        }
        if "HTTP_HX_REQUEST" in headers:
            environ["HTTP_ACCEPT_ENCODING"] = "gzip"
        told: list[Any] = []
        started = time.perf_counter()
        answer = self._serve(environ, lambda *arguments: told.extend(arguments))
        body = b"".join(answer)
        answer.close()
        took = (time.perf_counter() - started) * 1000
        self._tag = dict(told[1]).get("HX-PTag", self._tag)
        return told[0], body, took


def of_live(page: str, attribute: str) -> str:
    """What the page's element that polls says of it."""
    [live] = LIVE.findall(page)
    [value] = re.findall(rf'{attribute}="([^"]*)"', live)
    return unescape(value)
