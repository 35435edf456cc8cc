"""Which tasks a search finds, and how they are reached among a million: along an index, or among the newest only.

A `stream` is what one index gives in the order of numbers. What no index answers (part of a name, an error) is looked
for row by row, in the next LOOKED_AT rows of the streams; a page then says how far it has looked, and the next goes on.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import and_, attrgetter
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from apps.accounts.permissions import may_see_all
from apps.tasks.conditions import conditions
from apps.tasks.models import Task
from apps.tasks.orders import INDEXED, NEWEST_FIRST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from apps.accounts.permissions import Person
    from apps.api.keyset import Order, Place
    from apps.tasks.conditions import Conditions
    from apps.tasks.querysets import TaskQuerySet
    from apps.tasks.search import Query

    Find = Callable[[TaskQuerySet, Place | None, int], list[Any]]

LOOKED_AT = 12_000
ERRORS_LOOKED_AT = 2_000  # each in a row of another table
SORTED = 8_000
CHEAP = 1_000  # of two indexes the one with fewer tasks is asked, which is counted up to here


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """`all`: every task that matches. `streams`: together they hold all of these, and others that `rest` sorts out."""

    all: TaskQuerySet
    streams: tuple[TaskQuerySet, ...]
    rest: Q | None
    looked_at: int  # so many at a time, where there is a `rest`
    whole: bool  # everything there is: nothing was asked for, and all may be seen

    def places(self, order: Order, beyond: Place | None, most: int) -> tuple[list[Place], int | None]:
        """The next places of the list; and the number beyond which it was not looked, None when that is nowhere.

        In the order of numbers that is where the next look goes on; in others it is the oldest that is in the list.
        """
        return self.found(order, beyond, most, order.places)

    def found(self, order: Order, beyond: Place | None, most: int, find: Find) -> tuple[list[Any], int | None]:
        """The same of what `find` makes of the next of some tasks beyond a place; it has a `number`."""
        if not order.by_number:
            return self._sorted(order, beyond, most, find)
        end = self._end(order, beyond, self.looked_at) if self.rest else None
        parts = [find(self._within(stream, order, end), beyond, most) for stream in self.streams]
        merged = heapq.merge(*parts, key=attrgetter("number"), reverse=order.descending)
        return list(islice(merged, most)), end

    def count(self, cap: int) -> int:
        """How many match, counted up to `cap + 1`; what no index answers among the newest `looked_at`."""
        end = self.counted_to()
        left = cap + 1
        for stream in self.streams:
            left -= self._within(stream, NEWEST_FIRST, end).order_by()[:left].count() if left else 0
        return cap + 1 - left

    def counted_to(self) -> int | None:
        """The number beyond which `count` does not look, None when that is nowhere."""
        return self._end(NEWEST_FIRST, None, self.looked_at) if self.rest else None

    def _sorted(self, order: Order, beyond: Place | None, most: int, find: Find) -> tuple[list[Any], int | None]:
        if self.whole and order.column in INDEXED:
            return find(self.all, beyond, most), None
        end = self._end(NEWEST_FIRST, None, self.looked_at if self.rest else SORTED)
        if end is None:  # these are few, but a planner may walk an index of all tasks in this order to find them
            few = self.all.filter(pk__in=self.all.order_by("-pk").values("pk")[:SORTED])
            return find(few, beyond, most), None
        return find(self.all.filter(pk__gte=end), beyond, most), end

    def _within(self, stream: TaskQuerySet, order: Order, end: int | None) -> TaskQuerySet:
        if end is not None:
            stream = stream.filter(**{"pk__gte" if order.descending else "pk__lte": end})
        return stream.filter(self.rest) if self.rest else stream

    def _end(self, order: Order, beyond: Place | None, most: int) -> int | None:
        """The last of the next `most` numbers of all streams together, None when these are not so many."""
        share = most // len(self.streams)
        ends = [end for stream in self.streams if (end := _nth(stream, order, beyond, share))]
        return (max if order.descending else min)(ends, default=None)


def matching(query: Query, user: Person) -> Matching:
    """What the query finds among the tasks that this person may see."""
    sees_all = may_see_all(user)
    seen = Task.objects.visible_to(user)
    wanted = conditions(query, user)
    streams, left = _streams(seen, wanted, owned=not sees_all)
    rest = [*left, *wanted.by_row]
    return Matching(
        all=seen.filter(wanted.indexed, *wanted.by_row),
        streams=tuple(stream.filter(wanted.span) for stream in streams),
        rest=reduce(and_, rest) if rest else None,
        looked_at=min(LOOKED_AT, ERRORS_LOOKED_AT) if query.of("error") else LOOKED_AT,
        whole=sees_all and not query.terms,
    )


def _streams(seen: TaskQuerySet, wanted: Conditions, *, owned: bool) -> tuple[list[TaskQuerySet], list[Q]]:
    """And the conditions that they do not answer. There are indexes of owner, owner and status, status, kind."""
    left = []
    if wanted.owners is not None and len(wanted.owners) == 1:
        seen, owned = seen.filter(created_by__in=wanted.owners), True
    elif wanted.owners is not None:
        left.append(Q(created_by__in=sorted(wanted.owners)))
    by_status = _each(seen, "status", wanted.statuses)
    by_kind = None if owned else _each(seen, "kind", wanted.kinds)
    if by_status and by_kind:
        by_status, by_kind = (by_status, None) if _fewer(by_status, by_kind) else (None, by_kind)
    if by_status is None and wanted.statuses is not None:
        left.append(Q(status__in=sorted(wanted.statuses)))
    if by_kind is None and wanted.kinds is not None:
        left.append(Q(kind__in=sorted(wanted.kinds)))
    return by_status or by_kind or [seen], left


def _each(seen: TaskQuerySet, column: str, values: Iterable[str] | None) -> list[TaskQuerySet] | None:
    """None: this index does not help."""
    return None if values is None else [seen.filter(**{column: value}) for value in sorted(values)] or [seen.none()]


def _fewer(one: Iterable[TaskQuerySet], other: Iterable[TaskQuerySet]) -> bool:
    counts = [sum(stream.order_by()[:CHEAP].count() for stream in streams) for streams in (one, other)]
    return counts[0] <= counts[1]


def _nth(stream: TaskQuerySet, order: Order, beyond: Place | None, nth: int) -> int | None:
    rows = order.beyond(stream, beyond).values_list("pk", flat=True)
    return next(iter(rows[nth - 1 : nth]), None)
