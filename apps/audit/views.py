"""The page of the audit log: everybody's entries for the staff, their own for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from apps.api.keyset import Order, Place
from apps.audit.acts import ACTS, OF_TASKS, PLACES
from apps.audit.forms import Search
from apps.audit.models import Entry, Result
from apps.tasks.clock import database_now
from apps.tasks.window import number_in
from apps.tasks.zones import zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponse

    from apps.audit.models import EntryQuerySet
    from apps.tasks.views import SignedInRequest

SIZE = 100
NEWEST_FIRST = Order(column="pk")


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as a sentence."""

    entry: Entry

    @property
    def said(self) -> str:
        if self.entry.act == "sign-in" and self.entry.result == Result.FAILED:
            return "Tried to sign in as"
        return ACTS.get(self.entry.act, self.entry.act)

    @property
    def object(self) -> str:
        """Of a sign-in it is who has come."""
        return "" if self.entry.act in ("sign-in", "sign-out") and self.entry.person else self.entry.object

    @property
    def more(self) -> str:
        count = self.entry.count
        if self.entry.result == Result.REFUSED:
            return f"{count:,} times" if count > 1 else ""
        if self.entry.act in OF_TASKS:
            return f"({count:,} task{'' if count == 1 else 's'})"
        return f"and {count - 1:,} more" if count > 1 else ""

    @property
    def href(self) -> str:
        word, _, name = self.entry.object.partition(" ")
        return PLACES[word].format(name) if word in PLACES and not self.entry.act.endswith(".delete") else ""

    @property
    def result(self) -> str:
        return "" if self.entry.result == Result.DONE else Result(self.entry.result).label


@require_safe
@gzip_page
def audit_list(request: SignedInRequest) -> HttpResponse:
    everybody = request.user.is_staff
    search = Search(request.GET, everybody=everybody)
    found = search.found_in(Entry.objects.visible_to(request.user), zone_of(request))
    before, after = (number_in(request.GET.get(name, "")) for name in ("before", "after"))
    rows, newer, older = _page(found, before, after)
    pages = {
        "before": _address(search, before=newer) if newer else "",
        "after": _address(search, after=older) if older else "",
        "first": _address(search),
    }
    context = {
        "rows": [Row(entry) for entry in rows],
        "search": search,
        "searched": bool(search.parameters),
        "pages": pages,
        "everybody": everybody,
        "now": database_now(),
    }
    return render(request, "audit/audit.html", context)


def _page(
    entries: EntryQuerySet, before: int | None, after: int | None
) -> tuple[Sequence[Entry], int | None, int | None]:
    """The rows, and behind which of them newer and older ones follow."""
    if before and (rows := NEWEST_FIRST.turned.rows(entries, Place(before), SIZE + 1)):
        shown = rows[:SIZE][::-1]
        return shown, shown[0].pk if len(rows) > SIZE else None, shown[-1].pk
    rows = NEWEST_FIRST.rows(entries, Place(after) if after else None, SIZE + 1)
    shown = rows[:SIZE]
    newer = after and entries.filter(pk__gte=after).exists()
    first = shown[0].pk if shown else (after or 0) - 1
    return shown, first if newer and first > 0 else None, shown[-1].pk if len(rows) > SIZE else None


def _address(search: Search, **place: int) -> str:
    return f"?{urlencode({**search.parameters, **place})}"
