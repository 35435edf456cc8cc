"""Keyset paging: a cursor names a row, not an offset, so pages neither drift under inserts nor slow down when deep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphql_relay import from_global_id, to_global_id

from apps.api.errors import BadInput
from apps.api.keyset import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from apps.api.keyset import Place

DEFAULT_SIZE = 50
LARGEST_SIZE = 100
COUNT_CAP = 10_000
BY_NUMBER = Order(column="pk")


@dataclass(frozen=True)
class Page:
    """What a connection is resolved from: `rows` of `everything`, in order, each with its cursor."""

    everything: QuerySet[Any] | None
    rows: Sequence[Any]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool

    @cached_property
    def counted(self) -> int:
        """Counted up to one above the cap."""
        return len(self.rows) if self.everything is None else self.everything.order_by()[: COUNT_CAP + 1].count()


def page(
    everything: QuerySet[Any],
    *,
    order: Order,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    """A page of rows in this order. Raises BadInput."""
    size, from_the_end = _size(first, last)
    start = None if after is None else position(after, "after", order)
    end = None if before is None else position(before, "before", order)
    if from_the_end:
        order, start, end = order.turned, end, start
    found = order.rows(everything, start, size + 1, until=end)
    more, shown = len(found) > size, found[:size]
    if from_the_end:
        shown.reverse()
    return Page(
        everything,
        shown,
        [cursor(order.written(order.place_of(row))) for row in shown],
        has_next_page=before is not None if from_the_end else more,
        has_previous_page=more if from_the_end else after is not None,
    )


def page_of_list(rows: Iterable[Any], *, first: int, after: str | None = None) -> Page:
    """A page of rows that are in memory already, in the order of their ids. Raises BadInput."""
    size, _from_the_end = _size(first, None)
    begin = position(after, "after", BY_NUMBER).number if after is not None else 0
    left = [row for row in rows if row.pk > begin]
    shown, is_first = left[:size], after is None
    cursors = [cursor(str(row.pk)) for row in shown]
    return Page(None, shown, cursors, has_next_page=len(left) > size, has_previous_page=not is_first)


def cursor(key: str) -> str:
    return to_global_id("at", key)


def position(text: str, name: str, order: Order) -> Place:
    """What `cursor` was made from. Raises BadInput naming the argument."""
    kind, key = from_global_id(text)  # two empty texts when it is none
    place = order.place(key) if kind == "at" else None
    if place is None:
        raise BadInput(f"{name} is not a cursor of this list: {text!r:.80}")
    return place


def _size(first: int | None, last: int | None) -> tuple[int, bool]:
    if first is not None and last is not None:
        raise BadInput("Give first or last, not both.")
    name, size = ("first", first) if last is None else ("last", last)
    if size is not None and not 1 <= size <= LARGEST_SIZE:
        raise BadInput(f"{name} must be from 1 to {LARGEST_SIZE} (got {size}).")
    return size or DEFAULT_SIZE, last is not None
