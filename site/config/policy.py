"""The Content-Security-Policy on every answer. It is one for all, so it is written once and not anew each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

DEBUG_PAGES = (404, 500)  # Django's own have their styles in them


def policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The middleware. An answer that has a policy keeps it."""
    written = build_policy()

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not (settings.DEBUG and response.status_code in DEBUG_PAGES):
            response.headers.setdefault(HEADER, written)
        return response

    return answer
