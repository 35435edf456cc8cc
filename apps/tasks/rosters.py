"""A live page of one table: how it is shown whole, and how a poll is answered with what of it has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse

from apps.tasks import live

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from apps.tasks.views import SignedInRequest


class Row(Protocol):
    @property
    def key(self) -> int:
        """Its name in the tag."""

    @property
    def element(self) -> str:
        """The id of its element."""


class Table(Protocol):
    @property
    def rows(self) -> Sequence[Row]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A fragment of the page, and the id of its element."""

    template: str
    element: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of the page must be sent: `rows` alone when the same ones stand in the same order, else `all_rows`."""

    rhythm: bool
    parts: list[Part]
    all_rows: bool
    rows: list[Row]

    def __bool__(self) -> bool:
        return bool(self.rhythm or self.parts or self.all_rows or self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """`name`: of the page's template, of its table's fragment and element, and of the table in the templates.

    `parts`: the fragments beside the table, `_<name>_<part>.html`. `row`: the fragment of a row. `look` reads the table
    with its tag, `view_of` tells who looks at what; both take the person, and what else the page's address says.
    `changes`: the name of the address where the page asks what has changed.
    """

    folder: str
    name: str
    parts: tuple[str, ...] = ("summary",)
    row: str
    look: Callable[..., tuple[Any, live.Tag]]
    view_of: Callable[..., str]
    changes: str
    constants: Mapping[str, Any] = field(default_factory=dict)

    def page(self, request: SignedInRequest, *place: str) -> HttpResponse:
        table, tag = self.look(request.user, *place)
        return render(request, f"{self.folder}/{self.name}.html", self._context(table, tag, place))

    def poll(self, request: SignedInRequest, *place: str) -> HttpResponse:
        """What has changed since the browser's tag was made; usually 304."""
        before = live.Tag.decode(request.htmx.ptag)
        if before and before.holds(self.view_of(request.user, *place)):
            return HttpResponseNotModified()
        table, tag = self.look(request.user, *place)
        if not (changes := self.difference(table, tag, before)):
            return live.tagged(HttpResponseNotModified(), tag)
        context = {**self._context(table, tag, place), "changes": changes}
        return live.tagged(render(request, "_roster_changes.html", context), tag)

    def difference(self, table: Table, tag: live.Tag, before: live.Tag | None) -> Changes:
        """Of the table, whose tag is `tag`, from what the browser has."""
        if before is None or len(before.parts) != len(tag.parts):
            return Changes(rhythm=True, parts=[self._part(name) for name in self.parts], all_rows=True, rows=[])
        rhythm, frame, *parts = (now != then for now, then in zip(tag.parts, before.parts, strict=True))
        all_rows = frame or list(tag.rows) != list(before.rows)
        changed = [row for row in table.rows if tag.rows[row.key] != before.rows.get(row.key)]
        return Changes(
            rhythm=rhythm,
            parts=[self._part(name) for name, differs in zip(self.parts, parts, strict=True) if differs],
            all_rows=all_rows,
            rows=[] if all_rows else changed,
        )

    def _part(self, name: str) -> Part:
        return Part(template=f"{self.folder}/_{self.name}_{name}.html", element=f"{self.name}-{name}")

    def _context(self, table: Table, tag: live.Tag, place: Sequence[str]) -> dict[str, Any]:
        element = live.element(reverse(self.changes, args=place), tag)
        return {"roster": self, self.name: table, "live": element, **self.constants}

    @property
    def table(self) -> str:
        return f"{self.folder}/_{self.name}.html"


def tag(
    *, ticks: int, until: int, view: str, moving: bool, frame: object, parts: Sequence[object], rows: Mapping[int, str]
) -> live.Tag:
    """`frame`: what stands around the rows within the table. `parts`: what each of the roster's shows."""
    digests = [live.digest(part) for part in (frame, *parts)]
    return live.Tag(ticks=ticks, until=until, view=view, parts=(live.rhythm(moving=moving), *digests), rows=dict(rows))
