"""Slows down who guesses passwords: after some wrong ones each further try has to wait, longer every time.

Counted in the database, which all processes share, by a hash: people type passwords where their name belongs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from math import ceil
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts.models import WrongPasswords

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries within this time; the next one waits."""

    tries: int
    within: timedelta


OF_NAME = Limit(5, timedelta(minutes=5))  # a name, tried from one address
OF_ADDRESS = Limit(50, timedelta(hours=1))


def begin(name: str, address: str) -> int:
    """0: the password may be looked at. Else the seconds to wait before the next try.

    The try counts as a wrong one until `succeed`: counted afterwards, a hundred tries at once would all come through.
    """
    limits, now = _limits(name, address), timezone.now()
    # Without a write: anybody can ask, as often as they like.
    if seconds := _wait(WrongPasswords.objects.filter(key__in=limits), limits, now):
        return seconds
    with transaction.atomic():
        WrongPasswords.objects.filter(last_at__lt=now - FORGOTTEN_AFTER).delete()
        fresh = [WrongPasswords(key=key, began_at=now, before_at=now, last_at=now) for key in limits]
        WrongPasswords.objects.bulk_create(fresh, ignore_conflicts=True)
        counted = list(WrongPasswords.objects.filter(key__in=limits).order_by("key").select_for_update())
        if seconds := _wait(counted, limits, now):
            return seconds
        for each in counted:
            _count(each, limits[each.key], now)
    return 0


def succeed(name: str, address: str) -> None:
    """It was the right one: the name is free again, the address as if it had not been tried."""
    of_name, of_address = _limits(name, address)
    WrongPasswords.objects.filter(key=of_name).delete()
    WrongPasswords.objects.filter(key=of_address, tries__gt=0).update(tries=F("tries") - 1, last_at=F("before_at"))


def _limits(name: str, address: str) -> dict[str, Limit]:
    """By the keys of what is counted: the name first, then the address."""
    where = _network(address)
    return {_key(where, name.casefold()): OF_NAME, _key(where): OF_ADDRESS}


def _network(address: str) -> str:
    """One household has 2^64 addresses of IPv6."""
    return str(ip_network((address, 64), strict=False)) if ":" in address else address


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _wait(counted: Iterable[WrongPasswords], limits: dict[str, Limit], now: datetime) -> int:
    return max([0, *(ceil((_free_at(each, limits[each.key]) - now).total_seconds()) for each in counted)])


def _free_at(counted: WrongPasswords, limit: Limit) -> datetime:
    last_at: datetime = counted.last_at
    beyond = counted.tries - limit.tries
    return last_at if beyond < 0 else last_at + min(FIRST_WAIT * 2 ** min(beyond, 10), LONGEST_WAIT)


def _count(counted: WrongPasswords, limit: Limit, now: datetime) -> None:
    since = counted.began_at if counted.tries < limit.tries else _free_at(counted, limit)
    if since < now - limit.within:
        counted.tries, counted.began_at = 0, now
    counted.tries += 1
    counted.before_at, counted.last_at = counted.last_at, now
    counted.save()
