"""The order of a list and the places in it: a place names a row by what it is ordered by, never by counting."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import QuerySet

BIGGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """A row's number and its value in the column that the list is ordered by.

    None: the row has no value, or the list is ordered by number.
    """

    number: int
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By one column, then by number, both in the same direction: an index of the two serves either.

    Rows without a value stand last in both directions, by number; first where the list is walked from its end.
    """

    column: str
    descending: bool = True
    read: Callable[[str], Any] = str  # a value of the column from its text; raises ValueError
    nullable: bool = False
    nulls_first: bool = False

    @property
    def by_number(self) -> bool:
        return self.column == "pk"

    @property
    def turned(self) -> Self:
        """The same list from its end."""
        return replace(self, descending=not self.descending, nulls_first=self.nullable and not self.nulls_first)

    def places(self, rows: QuerySet[Any], beyond: Place | None, most: int) -> list[Place]:
        """The next places after this one, or from the beginning."""
        columns = ("pk",) if self.by_number else ("pk", self.column)
        return [Place(*row) for row in self.rows(rows.values_list(*columns), beyond, most)]

    def rows(
        self,
        rows: QuerySet[Any],
        beyond: Place | None,
        most: int,
        read: Callable[[QuerySet[Any]], list[Any]] = list,
        until: Place | None = None,
    ) -> list[Any]:
        """The next rows after this place, or from the beginning, that stand before `until`.

        `read`: what is made of a part of them.
        """
        parts = self._parts(rows, beyond, until)
        return list(islice((row for part in parts for row in read(part[:most])), most))

    def place_of(self, row: Any) -> Place:
        return Place(row.pk, None if self.by_number else getattr(row, self.column))

    def _parts(self, rows: QuerySet[Any], beyond: Place | None, until: Place | None) -> Iterator[QuerySet[Any]]:
        """Of rows with a value and rows without no planner makes one walk of an index: one after the other."""
        if not self.nullable:
            yield from (self._by_numbers if self.by_number else self._by_values)(rows, beyond, until)
            return
        first, last = self._is_late(beyond), until is None or self._is_late(until)
        for late in range(first, last + 1):
            bare = late != self.nulls_first
            some = rows.filter(**{f"{self.column}__isnull": bare})
            begin, end = beyond if late == first else None, until if late == last else None
            yield from self._by_numbers(some, begin, end) if bare else self._by_values(some, begin, end)

    def _is_late(self, place: Place | None) -> bool:
        """Whether it stands in the second half: that without a value, unless this comes first."""
        return place is not None and (place.value is None) != self.nulls_first

    def _by_numbers(self, rows: QuerySet[Any], beyond: Place | None, until: Place | None) -> Iterator[QuerySet[Any]]:
        if until:
            rows = rows.filter(**{f"pk__{'gt' if self.descending else 'lt'}": until.number})
        yield self.beyond(rows, beyond)

    def _by_values(self, rows: QuerySet[Any], beyond: Place | None, until: Place | None) -> Iterator[QuerySet[Any]]:
        """In two parts, those with the same value first: of an OR of the two no planner makes one walk of an index."""
        sign, lookup = ("-", "lt") if self.descending else ("", "gt")
        rows = self._before(rows, until) if until else rows
        ordered = rows.order_by(f"{sign}{self.column}", f"{sign}pk")
        if beyond:
            same = rows.filter(**{self.column: beyond.value, f"pk__{lookup}": beyond.number})
            yield same.order_by(f"{sign}pk")
            ordered = ordered.filter(**{f"{self.column}__{lookup}": beyond.value})
        yield ordered

    def _before(self, rows: QuerySet[Any], place: Place) -> QuerySet[Any]:
        """The first bound is where a walk of the index ends."""
        lookup = "gt" if self.descending else "lt"
        nearer = Q(**{f"{self.column}__{lookup}": place.value}) | Q(**{f"pk__{lookup}": place.number})
        return rows.filter(nearer, **{f"{self.column}__{lookup}e": place.value})

    def beyond(self, rows: QuerySet[Any], place: Place | None) -> QuerySet[Any]:
        """In the order of numbers, whatever else the list is ordered by."""
        sign, lookup = ("-", "lt") if self.descending else ("", "gt")
        return (rows.filter(**{f"pk__{lookup}": place.number}) if place else rows).order_by(f"{sign}pk")

    def written(self, place: Place) -> str:
        """ "12", or "12~" and the value, if there is one."""
        value = place.value.isoformat() if isinstance(place.value, datetime) else place.value
        return str(place.number) if self.by_number else f"{place.number}~{'' if value is None else value}"

    def place(self, text: str) -> Place | None:
        """What `written` has written; None for anything else."""
        digits, mark, value = text.partition("~")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 19 and 1 <= int(digits) <= BIGGEST_ID):
            return None
        if self.by_number:
            return None if mark else Place(int(digits))
        if self.nullable and mark and not value:
            return Place(int(digits))
        try:
            return Place(int(digits), self.read(value)) if mark else None
        except (ValueError, OverflowError):
            return None


def moment(text: str) -> datetime:
    """Raises ValueError unless it has a time zone, OverflowError when it is too far away."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)


def number(text: str) -> float:
    """Raises ValueError: NaN has no place in an order."""
    value = float(text)
    if math.isnan(value):
        raise ValueError(text)
    return value
