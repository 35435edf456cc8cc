"""Numbers rise with time: between which ones the rows of a time lie, so that nobody has to look for them elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import Model

AT_ONCE = timedelta(minutes=1)  # what is stored at the same moment may have its numbers in any order
FEW = 12_000  # so many are looked through anyway


def spanned(model: type[Model], column: str, bounds: Iterable[tuple[str, Any]]) -> Q:
    """That `column`, the time at which a row was stored, lies within: pairs of lookup (gte, lt, ..) and time."""
    found = Q()
    for lookup, at in bounds:
        found &= Q(**{f"{column}__{lookup}": at})
        later = lookup.startswith("l")
        try:
            edge = at + AT_ONCE if later else at - AT_ONCE
        except OverflowError:  # at the end of all times, where no row is
            continue
        number = _first_since(model, column, edge)
        if number is not None:
            found &= Q(pk__lt=number) if later else Q(pk__gte=number)
    return found


def _first_since(model: type[Model], column: str, at: datetime) -> int | None:
    """The number from which on rows were stored at this time or later; None when there are only a few rows."""
    rows: Any = model._default_manager  # noqa: SLF001 whichever it has
    numbers = rows.values_list("pk", flat=True)
    # Not by min() and max(): asked for together, SQLite reads every row for them.
    low, high = numbers.order_by("pk").first() or 0, (numbers.order_by("-pk").first() or 0) + 1
    if high - low < FEW:
        return None
    table, moment = model._meta.db_table, connection.ops.adapt_datetimefield_value(at)  # noqa: SLF001 as above
    following = f"SELECT id, {column} < %s FROM {table} WHERE id >= %s ORDER BY id LIMIT 1"  # noqa: S608 names of ours
    with connection.cursor() as cursor:  # twenty statements, each in a tenth of the time that a QuerySet takes
        while low < high:
            middle = (low + high) // 2
            cursor.execute(following, [moment, middle])
            number, is_earlier = cursor.fetchone() or (0, False)  # the last ones may be deleted by now
            low, high = (number + 1, high) if is_earlier else (low, middle)
    return low
