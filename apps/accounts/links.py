"""Links that sign in once: printed ones for ten minutes, on this machine; invitations for three days, anywhere."""

from __future__ import annotations

import ipaddress
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from apps.accounts import secrets_text
from apps.accounts.models import SignInLink

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest

LIFETIME = timedelta(minutes=10)
INVITED_FOR = timedelta(days=3)
PROXY_HEADERS = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


def make(user: User) -> str:
    """The text of a new link; those that can no longer be used are cleared away."""
    return _make(user, LIFETIME)


def invite(user: User) -> str:
    """The text of a new invitation; an earlier one is good no longer."""
    SignInLink.objects.filter(user=user, sets_password=True, used_at=None).delete()
    return _make(user, INVITED_FOR, sets_password=True)


def use(text: str, *, sets_password: bool = False) -> User | None:
    """The link's user, for the first who comes in time."""
    good = _good(text, sets_password=sets_password)
    link = good.select_related("user").first()
    # Compare-and-set: of two clicks at the same moment one finds used_at still empty.
    if link is None or not good.update(used_at=timezone.now()):
        return None
    user: User = link.user
    return user


def invited(text: str) -> User | None:
    """Whom this invitation is for, while it is good."""
    link = _good(text, sets_password=True).select_related("user").first()
    return link.user if link else None


def _make(user: User, lifetime: timedelta, *, sets_password: bool = False) -> str:
    now = timezone.now()
    SignInLink.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    text = secrets_text.make()
    SignInLink.objects.create(
        user=user, hash=secrets_text.hashed(text), expires_at=now + lifetime, sets_password=sets_password
    )
    return text


def _good(text: str, *, sets_password: bool) -> QuerySet[SignInLink]:
    mine = SignInLink.objects.filter(hash=secrets_text.hashed(text), sets_password=sets_password)
    return mine.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)


def command() -> str:
    """What prints a link to this very data folder, as a person types it in the checkout's folder."""
    usual = settings.VAR == settings.ROOT / "var"
    return "./manage.py link" if usual else f"MILLRACE_VAR={shlex.quote(str(settings.VAR))} ./manage.py link"


def from_this_machine(request: HttpRequest) -> bool:
    """Whether the peer is on loopback itself; what a proxy passes on comes from somewhere else."""
    if any(header in request.headers for header in PROXY_HEADERS):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
