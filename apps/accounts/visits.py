"""When somebody was here last: a session ends 12 hours after that, and polls of an open page do not count."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from apps.accounts.models import LastSeen, Session

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

NOTED = "seen"  # in the session: when it was noted last, in seconds since 1970
NOTED_EVERY_SECONDS = 300


def begin(request: HttpRequest, user: User, **_: Any) -> None:
    """Somebody signs in. Sessions that have ended by themselves are cleared away."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    _note(request, user)


def go_on(request: HttpRequest) -> None:
    """A signed-in person's request. Writing to the session makes it, and its cookie, last anew."""
    if not is_poll(request) and time.time() - request.session.get(NOTED, 0) >= NOTED_EVERY_SECONDS:
        _note(request, request.user)


def is_poll(request: HttpRequest) -> bool:
    """Whether a page asks by itself, or for a part of itself."""
    return request.method == "GET" and request.headers.get("HX-Request") == "true"


def _note(request: HttpRequest, user: Any) -> None:
    request.session[NOTED] = int(time.time())
    LastSeen.objects.update_or_create(user=user, defaults={"at": timezone.now()})
