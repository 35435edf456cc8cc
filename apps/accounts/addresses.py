"""The client's address: the peer's, or what proxies say that the settings name; nobody else is believed. And ours."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest

    Address = IPv4Address | IPv6Address


def of(request: HttpRequest) -> str:
    """The nearest address that is not one of our proxies'; empty for a peer without any, as on a unix socket."""
    address = _read(request.META.get("REMOTE_ADDR", ""))
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    # From the right: each proxy writes behind what it was sent, and what it was sent may be anything.
    while hops and address and _is_proxy(address):
        before = _read(hops.pop())
        if before is None:
            break
        address = before
    return str(address or "")


def outside(request: HttpRequest, path: str) -> str:
    """The whole address of this path, as people reach it."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


def _is_proxy(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
