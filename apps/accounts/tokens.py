"""API tokens: shown once when made, found again by their hash, ended by time or by hand."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.accounts import secrets_text
from apps.accounts.models import Token
from apps.accounts.permissions import Scope
from apps.audit.journal import note

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import User

USER_LIFETIME = timedelta(days=90)
KNOWN_SECONDS = 1.0
MOST_KNOWN = 1_000
SHOWN_LENGTH = 12  # the prefix and 8 characters: enough to tell tokens apart, nothing to guess the rest from


def make(
    *, user: User | None, scopes: Collection[Scope], name: str = "", lifetime: timedelta | None = None
) -> tuple[Token, str]:
    """The stored token and its text, which nobody can get again. A user's token always ends one day."""
    text = secrets_text.make(_prefix(scopes))
    ends = lifetime or (USER_LIFETIME if user else None)
    with transaction.atomic():
        token = Token.objects.create(
            user=user,
            name=name,
            prefix=text[:SHOWN_LENGTH],
            hash=secrets_text.hashed(text),
            scopes=sorted(scopes),
            expires_at=timezone.now() + ends if ends else None,
        )
    return token, text


def accept(text: str, *, scope: Scope, name: str) -> None:
    """Make a text from elsewhere (the first start's secrets) a valid token of a process."""
    Token.objects.update_or_create(
        hash=secrets_text.hashed(text),
        defaults={"revoked_at": None, "expires_at": None, "scopes": [scope]},
        create_defaults={"name": name, "prefix": text[:SHOWN_LENGTH], "scopes": [scope]},
    )


def find(text: str) -> Token | None:
    """The valid token of this text; None when it is unknown, revoked, expired or its user may not sign in."""
    token = _known(secrets_text.hashed(text))
    if token is None or token.revoked_at or (token.user and not token.user.is_active):
        return None
    return None if token.expires_at and token.expires_at <= timezone.now() else token


def note_use(token: Token) -> None:
    """Day precision, so that it costs one write a day and not one a request."""
    today = timezone.now().date()
    if token.last_used_on != today:
        token.last_used_on = today
        Token.objects.filter(pk=token.pk).update(last_used_on=today)


def revoke(token: Token) -> None:
    """Every process has forgotten it within a second."""
    _seen.clear()
    with transaction.atomic():
        if Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            note("token.revoke", f"token {token.prefix}")


def _known(hashed: str) -> Token | None:
    """The stored token, valid or not. Sink, workers and programs come with the same one many times a second."""
    seen_at, token = _seen.get(hashed, (-KNOWN_SECONDS, None))
    if time.monotonic() - seen_at < KNOWN_SECONDS:
        return token
    if len(_seen) > MOST_KNOWN:
        _seen.clear()
    token = Token.objects.select_related("user").filter(hash=hashed).first()
    if token is not None:
        _seen[hashed] = time.monotonic(), token
    return token


_seen: dict[str, tuple[float, Token]] = {}


def _prefix(scopes: Collection[Scope]) -> str:
    """What kind of secret it is, for people and for scanners of leaked secrets."""
    if Scope.SINK in scopes:
        return "mrs_"
    return "mrw_" if Scope.WORKER in scopes else "mrp_"
