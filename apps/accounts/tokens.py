"""API tokens: shown once when made, found again by their hash, ended by time or by hand."""

from __future__ import annotations

import time
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts import secrets_text
from apps.accounts.models import Token
from apps.accounts.permissions import Scope, may_revoke_all
from apps.audit.journal import note

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet


class Standing(StrEnum):
    """Whether it lets anybody in."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


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


def accept(text: str, *, scope: Scope, name: str) -> Token:
    """Make a text from elsewhere (the first start's secrets) a token of a process. One that was revoked stays so."""
    token, _ = Token.objects.update_or_create(
        hash=secrets_text.hashed(text),
        defaults={"expires_at": None, "scopes": [scope]},
        create_defaults={"name": name, "prefix": text[:SHOWN_LENGTH], "scopes": [scope]},
    )
    return token


def find(text: str) -> Token | None:
    """The valid token of this text; None when it is unknown, revoked, expired or its user may not sign in."""
    if text.startswith(OF_A_PERSON) and not secrets_text.is_whole(text):
        return None  # mistyped or made up: the database need not be asked
    token = _known(secrets_text.hashed(text))
    if token is None or standing(token) != Standing.VALID or (token.user and not token.user.is_active):
        return None
    return token


def standing(token: Token) -> Standing:
    """Of the token by itself, whatever its person may do now."""
    if token.revoked_at:
        return Standing.REVOKED
    return Standing.EXPIRED if token.expires_at and token.expires_at <= timezone.now() else Standing.VALID


def seen_by(user: User) -> QuerySet[Token]:
    """Those that this person may see and revoke."""
    return Token.objects.all() if may_revoke_all(user) else Token.objects.filter(user=user)


def valid(tokens: QuerySet[Token]) -> QuerySet[Token]:
    return tokens.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)


def note_use(token: Token) -> None:
    """Day precision, so that it costs one write a day and not one a request."""
    today = timezone.now().date()
    if token.last_used_on != today:
        token.last_used_on = today
        Token.objects.filter(pk=token.pk).update(last_used_on=today)


def end_later(text: str, after: timedelta) -> datetime:
    """Has the token of this text end then, unless it ends before."""
    at = timezone.now() + after
    later = Q(expires_at=None) | Q(expires_at__gt=at)
    Token.objects.filter(later, hash=secrets_text.hashed(text)).update(expires_at=at)
    _seen.clear()
    return at


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


OF_A_PERSON = "mrp_"


def _prefix(scopes: Collection[Scope]) -> str:
    """What kind of secret it is, for people and for scanners of leaked secrets."""
    if Scope.SINK in scopes:
        return "mrs_"
    return "mrw_" if Scope.WORKER in scopes else OF_A_PERSON
