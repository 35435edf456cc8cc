"""From where the present request comes: set by the middleware for pages, by the token for programs, kept per thread."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from apps.audit.models import Way

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from apps.accounts.models import Token
    from apps.accounts.permissions import Person


@dataclass(slots=True)
class Origin:
    """Without a request it is a command in a shell, or the relay."""

    request: HttpRequest | None = None
    token: Token | None = None

    @property
    def way(self) -> Way:
        if self.request is None:
            return Way.COMMAND
        return Way.TOKEN if self.token else Way.PAGE

    @property
    def address(self) -> str:
        return address_of(self.request) if self.request else ""

    @property
    def prefix(self) -> str:
        return self.token.prefix if self.token else ""

    @property
    def person(self) -> Person | None:
        if self.token:
            return self.token.user
        return getattr(self.request, "user", None)


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin:
    return _current.get() or Origin()


def by_token(token: Token) -> None:
    """Whoever asks has shown this one."""
    if origin := _current.get():
        origin.token = token


class Origins:
    """The middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = _current.set(Origin(request))
        try:
            return self._get_response(request)
        finally:
            _current.reset(before)


def address_of(request: HttpRequest) -> str:
    """The client's: the peer, or what the last of our own proxies says of its. Anybody can write the rest."""
    given = request.META.get("REMOTE_ADDR", "")
    if settings.PROXIES:
        passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
        given = passed[-settings.PROXIES] if len(passed) >= settings.PROXIES else given
    with suppress(ValueError):
        return str(ipaddress.ip_address(given))
    return ""
