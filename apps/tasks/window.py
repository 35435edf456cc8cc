"""Which part of the table of tasks an address asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, Self

from apps.tasks import columns
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import Status
from apps.tasks.orders import NEWEST_FIRST, order, word
from apps.tasks.search import NOTHING, Mistake, parse, written
from apps.tasks.search_values import Clock
from workers.messages import BIGGEST_ID

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.http import QueryDict

    from apps.api.keyset import Order, Place
    from apps.tasks.search import Query

MOST_COLUMNS = 7


@dataclass(frozen=True, kw_only=True)
class Window:
    """What makes no sense in the address is left out.

    `after` / `before`: the places beyond which it begins, downwards or upwards. `seen`: newer tasks than this one are
    not shown but announced; only with the newest first. `zone`: the reader's.
    """

    text: str = ""
    order: Order = NEWEST_FIRST
    after: Place | None = None
    before: Place | None = None
    seen: int | None = None
    columns: tuple[str, ...] = columns.DEFAULT
    zone: tzinfo = UTC

    @classmethod
    def of(cls, query: QueryDict, zone: tzinfo = UTC) -> Self:
        wanted = order(query.get("sort", "")) or NEWEST_FIRST
        status = query.get("status", "")
        return cls(
            text=query.get("q", "").strip() or (written("status", status) if status else ""),
            order=wanted,
            after=wanted.place(query.get("after", "")),
            before=wanted.place(query.get("before", "")),
            seen=number_in(query.get("seen", "")) if wanted == NEWEST_FIRST else None,
            columns=columns.known(query.get("columns", "").split(",")),
            zone=zone,
        )

    @property
    def listed(self) -> dict[str, str]:
        """The list that it is a part of, as a query."""
        pairs = {"q": self.text, "sort": "" if self.order == NEWEST_FIRST else word(self.order)}
        return {name: value for name, value in pairs.items() if value}

    @property
    def parameters(self) -> dict[str, str | int]:
        """The window as a query, to be read again by `of`."""
        seen = {"seen": self.seen} if self.seen is not None else {}
        own = {} if self.columns == columns.DEFAULT else {"columns": ",".join(self.columns)}
        return {**self.listed, **self._place, **seen, **own}

    @property
    def trail(self) -> dict[str, str]:
        """The window in the address of one of its tasks; its order in any case, which says that there is a list."""
        return {**self.listed, "sort": word(self.order), **self._place}

    @property
    def _place(self) -> dict[str, str]:
        places = {"after": self.after, "before": self.before}
        return {name: self.order.written(place) for name, place in places.items() if place}

    @property
    def is_wide(self) -> bool:
        """More columns than stand side by side on a usual screen."""
        return len(self.columns) > MOST_COLUMNS

    @property
    def is_first(self) -> bool:
        return self.after is None and self.before is None

    @cached_property
    def _read(self) -> Query | Mistake:
        try:
            return parse(self.text, Clock(now=database_now(), zone=self.zone)) if self.text else NOTHING
        except Mistake as mistake:
            return mistake

    @property
    def mistake(self) -> Mistake | None:
        return self._read if isinstance(self._read, Mistake) else None

    @property
    def query(self) -> Query:
        """Nothing, which all tasks match, when there is a mistake in the text."""
        return NOTHING if isinstance(self._read, Mistake) else self._read

    @property
    def status(self) -> Status | None:
        """The one that is asked for."""
        terms = self.query.of("status")
        only = terms[0].words if len(terms) == 1 and not terms[0].negated else []
        return Status(only[0]) if len(only) == 1 else None

    @property
    def only_status(self) -> bool:
        return self.status is not None and len(self.query.terms) == 1


def number_in(text: str) -> int | None:
    """A task's number as typed into an address; None when it cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if 1 <= int(text) <= BIGGEST_ID else None
