"""An answer to HEAD is GET's without the body, of which gunicorn would complain in the log each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class NoBody:
    """The middleware. The length that stands in the headers stays: it is that of GET's answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.method == "HEAD":
            setattr(response, "streaming_content" if response.streaming else "content", b"")
        return response
