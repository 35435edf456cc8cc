"""Old entries are let go, some at a time; the one place that removes any."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet

from apps.audit.models import Entry
from apps.tasks.clock import database_now
from apps.tasks.since import spanned

PIECE = 1_000


def forget() -> bool:
    """Removes the oldest that are older than MILLRACE_AUDIT_DAYS. Whether there may be more."""
    rows: QuerySet[Entry] = QuerySet(Entry)  # its own manager removes nothing
    until = database_now() - timedelta(days=settings.AUDIT_DAYS)
    too_old = rows.filter(spanned(Entry, "at", [("lt", until)]))
    numbers = list(too_old.order_by("pk").values_list("pk", flat=True)[:PIECE])
    if numbers:
        rows.filter(pk__in=numbers)._raw_delete(rows.db)  # noqa: SLF001 nothing hangs on them
    return len(numbers) == PIECE
