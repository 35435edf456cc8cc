"""Whose session it is, remembered for a second: an open page asks twice a second what has changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.db import transaction
from django.utils.functional import SimpleLazyObject

from apps.accounts import visits

if TYPE_CHECKING:
    from django.http import HttpRequest

    from apps.accounts.permissions import Person

SECONDS = 1.0
MOST = 1_000


class RememberedPerson(AuthenticationMiddleware):
    """Only polls are answered from memory: whatever else somebody does is asked of the database."""

    def process_request(self, request: HttpRequest) -> None:
        if visits.is_poll(request):
            request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment] # as Django does
        else:
            super().process_request(request)


def forget(**_: Any) -> None:
    """Somebody's session, role or account is another one now. Other processes go by the second."""
    _seen.clear()
    transaction.on_commit(_seen.clear)  # who was asked for meanwhile was read as before


def _person(request: HttpRequest) -> Person:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    seen_at, person = _seen.get(key, (-SECONDS, None))
    if person and time.monotonic() - seen_at < SECONDS:
        request.session.accessed = True  # the answer depends on the cookie all the same, and says so
        return person
    asked_at, user = time.monotonic(), get_user(request)
    if user.is_authenticated:
        if len(_seen) >= MOST:
            _seen.clear()
        _seen[key] = asked_at, user
    return user


_seen: dict[str, tuple[float, Person]] = {}
