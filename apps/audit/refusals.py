"""What somebody without the right to it has tried: the first time within a minute at once, the rest of it as a number.

So whoever tries in a loop adds two entries a minute for each act, token and address, and not one a request.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import F

from apps.audit import journal
from apps.audit.models import Entry, Refusals, Result
from apps.tasks.clock import database_now

if TYPE_CHECKING:
    from apps.accounts.permissions import Person

WITHIN: Final = timedelta(minutes=1)
PIECE: Final = 200
AGAIN: Final = "again, within a minute"
COPIED: Final = ("person", "name", "act", "result", "way", "token", "address")  # not of what: it may be many things


def refuse(act: str, what: str = "", *, user: Person | None = None, details: str = "") -> None:
    """Says that whoever asks may not do this. Not to be called within a transaction that is rolled back then."""
    if journal.is_covered():
        return
    now = database_now()
    values = journal.values(act, what, user=user, details=details, result=Result.REFUSED)
    who = " ".join(str(values[name] or "-") for name in ("person", "way", "token", "address", "name"))
    key = {"who": who[: Refusals.WHO_LENGTH], "act": act}
    with transaction.atomic():
        if Refusals.objects.filter(**key, since__gt=now - WITHIN).update(more=F("more") + 1):
            return
        for old in Refusals.objects.filter(**key).select_for_update():
            _settle(old)
        first = Entry.objects.create(**values)
        Refusals.objects.bulk_create([Refusals(**key, since=now, first=first)], ignore_conflicts=True)


def settle() -> bool:
    """Has what was counted stand in the log. Whether there may be more."""
    with transaction.atomic():
        over = Refusals.objects.filter(since__lte=database_now() - WITHIN).select_related("first")
        rows = list(over.order_by("pk").select_for_update(of=("self",))[:PIECE])
        for row in rows:
            _settle(row)
    return len(rows) == PIECE


def _settle(counted: Refusals) -> None:
    if counted.more:
        copied = {name: getattr(counted.first, name) for name in COPIED}
        Entry.objects.create(**copied, count=counted.more, details=AGAIN)
    counted.delete()
