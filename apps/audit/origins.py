"""From where the present request comes: set by the middleware for pages, by the token for programs, kept per thread."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.accounts import addresses
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
        return addresses.of(self.request) if self.request else ""

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
