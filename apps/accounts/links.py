"""Sign-in links: good once, for ten minutes, from this machine."""

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
    from django.http import HttpRequest

LIFETIME = timedelta(minutes=10)
PROXY_HEADERS = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


def make(user: User) -> str:
    """The text of a new link; those that can no longer be used are cleared away."""
    now = timezone.now()
    SignInLink.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    text = secrets_text.make()
    SignInLink.objects.create(user=user, hash=secrets_text.hashed(text), expires_at=now + LIFETIME)
    return text


def use(text: str) -> User | None:
    """The link's user, for the first who comes in time."""
    now = timezone.now()
    mine = SignInLink.objects.filter(hash=secrets_text.hashed(text), user__is_active=True)
    # Compare-and-set: of two clicks at the same moment one finds used_at still empty.
    if not mine.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        return None
    user: User = mine.select_related("user").get().user
    return user


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
