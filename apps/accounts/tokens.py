"""API tokens: shown once when made, found again by their hash, ended by time or by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from apps.accounts import secrets_text
from apps.accounts.models import Token
from apps.accounts.permissions import Scope

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import User

USER_LIFETIME = timedelta(days=90)
SHOWN_LENGTH = 12  # the prefix and 8 characters: enough to tell tokens apart, nothing to guess the rest from


def make(
    *, user: User | None, scopes: Collection[Scope], name: str = "", lifetime: timedelta | None = None
) -> tuple[Token, str]:
    """The stored token and its text, which nobody can get again. A user's token always ends one day."""
    text = secrets_text.make(_prefix(scopes))
    ends = lifetime or (USER_LIFETIME if user else None)
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
    token = Token.objects.select_related("user").filter(hash=secrets_text.hashed(text)).first()
    if token is None or token.revoked_at or (token.user and not token.user.is_active):
        return None
    return None if token.expires_at and token.expires_at <= timezone.now() else token


def note_use(token: Token) -> None:
    """Day precision, so that it costs one write a day and not one a request."""
    today = timezone.now().date()
    if token.last_used_on != today:
        Token.objects.filter(pk=token.pk).update(last_used_on=today)


def revoke(token: Token) -> None:
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def _prefix(scopes: Collection[Scope]) -> str:
    """What kind of secret it is, for people and for scanners of leaked secrets."""
    if Scope.SINK in scopes:
        return "mrs_"
    return "mrw_" if Scope.WORKER in scopes else "mrp_"
