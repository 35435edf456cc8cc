"""Keyset paging: a cursor names a row, not an offset, so pages neither drift under inserts nor slow down when deep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphql_relay import from_global_id, to_global_id

from apps.api.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

DEFAULT_SIZE = 50
LARGEST_SIZE = 100
COUNT_CAP = 10_000
BIGGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """What a connection is resolved from: `rows` of `everything`, in order."""

    everything: QuerySet[Any] | None
    rows: Sequence[Any]
    has_next_page: bool
    has_previous_page: bool

    @cached_property
    def counted(self) -> int:
        """Counted up to one above the cap."""
        return len(self.rows) if self.everything is None else self.everything.order_by()[: COUNT_CAP + 1].count()


def page(
    everything: QuerySet[Any],
    *,
    newest_first: bool,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    """A page of rows ordered by id. Raises BadInput."""
    size, from_the_end = _size(first, last)
    rows = everything
    if after is not None:
        rows = rows.filter(**{"pk__lt" if newest_first else "pk__gt": position(after, "after")})
    if before is not None:
        rows = rows.filter(**{"pk__gt" if newest_first else "pk__lt": position(before, "before")})
    found = list(rows.order_by("-pk" if newest_first != from_the_end else "pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    if from_the_end:
        return Page(everything, found[::-1], has_next_page=before is not None, has_previous_page=more)
    return Page(everything, found, has_next_page=more, has_previous_page=after is not None)


def page_of_list(rows: Iterable[Any], *, first: int, after: str | None = None) -> Page:
    """A page of rows that are in memory already, in the order of their ids. Raises BadInput."""
    size, _from_the_end = _size(first, None)
    begin = position(after, "after") if after is not None else 0
    left = [row for row in rows if row.pk > begin]
    return Page(None, left[:size], has_next_page=len(left) > size, has_previous_page=after is not None)


def cursor(key: int) -> str:
    return to_global_id("at", key)


def position(text: str, name: str) -> int:
    """What `cursor` was made from. Raises BadInput naming the argument."""
    kind, key = from_global_id(text)  # two empty texts when it is none
    if kind != "at" or not (key.isascii() and key.isdigit() and int(key[:20]) <= BIGGEST_ID):
        raise BadInput(f"{name} is not a cursor of this list: {text!r:.80}")
    return int(key)


def _size(first: int | None, last: int | None) -> tuple[int, bool]:
    if first is not None and last is not None:
        raise BadInput("Give first or last, not both.")
    name, size = ("first", first) if last is None else ("last", last)
    if size is not None and not 1 <= size <= LARGEST_SIZE:
        raise BadInput(f"{name} must be from 1 to {LARGEST_SIZE} (got {size}).")
    return size or DEFAULT_SIZE, last is not None
