"""The list that a task's page was opened from: which tasks stand beside it there, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from django.urls import reverse

from apps.tasks import table
from apps.tasks.clock import database_now
from apps.tasks.matching import matching
from apps.tasks.window import Window

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.contrib.auth.models import User
    from django.http import QueryDict

    from apps.api.keyset import Order, Place
    from apps.tasks.matching import Matching


@dataclass(frozen=True, slots=True)
class Trail:
    """The part of a list from which somebody came, as the address of a task's page carries it; None: from no list."""

    window: Window | None = None

    @classmethod
    def of(cls, query: QueryDict, zone: tzinfo) -> Self:
        """A list whose search has a mistake is none."""
        window = Window.of(query, zone) if "sort" in query else None
        return cls(None if window and window.mistake else window)

    @property
    def text(self) -> str:
        """What was searched for."""
        return self.window.text if self.window else ""

    @property
    def query(self) -> str:
        """What leads from a task's page to another, without the question mark."""
        return urlencode(self.window.trail) if self.window else ""

    def back(self, task: int) -> str:
        """The address of the list, there where it shows this task."""
        if self.window is None:
            return reverse("tasks:list")
        return f"{reverse('tasks:list')}?{urlencode({**self.window.parameters, 'at': task})}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The numbers of the tasks right before and after one; None: there is none, or none near it."""

    before: int | None
    after: int | None


def find(trail: Trail, task: int, user: User) -> Neighbours | None:
    """None: it stands in no list, or not any more."""
    if trail.window is None:
        return None
    order, found = trail.window.order, matching(trail.window.query, user)
    place = _place(found, order, task)
    if place is None:
        return None
    return Neighbours(_next(found, order.turned, place), _next(found, order, place))


def window_with(task: int, window: Window, user: User) -> Window:
    """This window if the task is in it, else the first of the list, else one that has it in the middle."""
    order, found, now = window.order, matching(window.query, user), database_now()
    first = replace(window, after=None, before=None)
    for each in (window, first):
        if any(shown.number == task for shown in table.page_of(each, found, now).tasks):
            return each
    place = _place(found, order, task)
    above, _ = found.places(order.turned, place, table.ROWS // 2) if place else ([], None)
    return replace(first, after=above[-1]) if above else window


def _place(found: Matching, order: Order, task: int) -> Place | None:
    rows = found.all.filter(pk=task)
    return next(iter(order.places(rows, None, 1)), None)


def _next(found: Matching, order: Order, place: Place) -> int | None:
    places, _ = found.places(order, place, 1)
    return places[0].number if places else None
