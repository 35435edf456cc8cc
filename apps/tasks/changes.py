"""What has changed of a person's tasks since a place in the order of commits, for whoever mirrors them elsewhere.

A place is where a reader stands: first in a walk over all tasks there are, then in the notes that every tick leaves.
Nothing is remembered here about readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

from django.db import transaction

from apps.accounts.permissions import may_see_all
from apps.api.keyset import BIGGEST_ID
from apps.tasks.clock import database_now
from apps.tasks.models import Change, Clock, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.accounts.permissions import Person
    from apps.tasks.querysets import TaskQuerySet

KEPT = timedelta(days=2)
FEW_NOTES = 16
AT_ONCE = 1_000  # notes read, or entries looked up, with one statement
MOST_LOOKED_AT = 10_000  # entries for one answer: most of them may be about others' tasks
MOST_FORGOTTEN = 10_000  # at once


class TooOld(Exception):
    """What has changed since then is not known any more, or not yet: then the database is an older one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """All ticks up to `tick` are told, and `entries` of the next note; not before all tasks above `above` are."""

    tick: int
    entries: int = 0
    above: int | None = None

    def __str__(self) -> str:
        return f"{self.tick}.{self.entries}" + ("" if self.above is None else f".{self.above}")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what is no place."""
        if not re.fullmatch(r"[0-9]{1,19}(\.[0-9]{1,19}){1,2}", text):
            return None
        tick, entries, *above = map(int, text.split("."))
        if max(tick, entries, *above) > BIGGEST_ID:
            return None
        return cls(tick=tick, entries=entries, above=above[0] if above else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Numbers of tasks, in the order of their changes; of those gone only the numbers are left."""

    changed: list[int]
    gone: list[int]
    place: Place
    more: bool


def beginning() -> Place:
    """From which on everything is told that there is now and that changes later."""
    return Place(tick=_clock().ticks, above=0)


def now() -> Place:
    """From which on everything is told that changes later."""
    return Place(tick=_clock().ticks)


def since(place: Place, user: Person, most: int) -> Changes:
    """At most so many of the tasks that this person may see. Raises TooOld."""
    mine = Task.objects.visible_to(user)
    clock = _clock()
    if place.tick > clock.ticks:
        raise TooOld
    if place.above is not None:
        return _walked(place, mine, most, clock)
    if place.tick == clock.ticks:
        return Changes(changed=[], gone=[], place=place, more=False)
    found = _noted(place, mine, user, most)
    if place.tick < _clock().forgotten:  # asked last: they may have been forgotten while they were read
        raise TooOld
    return found


def forget() -> bool:
    """The oldest notes, once nobody is promised them any more; whether there may be more of these."""
    oldest = list(Change.objects.order_by("tick").values_list("tick", "at")[:MOST_FORGOTTEN])
    limit = database_now() - KEPT
    old = [tick for tick, at in oldest if at < limit]
    if old:
        with transaction.atomic():
            Change.objects.filter(tick__lte=old[-1]).delete()
            Clock.objects.update(forgotten=old[-1])
    return len(old) == MOST_FORGOTTEN


def _clock() -> Clock:
    return Clock.objects.first() or Clock()


def _walked(place: Place, mine: TaskQuerySet, most: int, clock: Clock) -> Changes:
    found = list(mine.newer_than(place.above or 0).values_list("pk", flat=True)[: most + 1])
    if len(found) > most:
        return Changes(changed=found[:most], gone=[], place=Place(tick=place.tick, above=found[most - 1]), more=True)
    return Changes(changed=found, gone=[], place=Place(tick=place.tick), more=clock.ticks > place.tick)


class _Entry(NamedTuple):
    """Of a note. `tick` and `entries`: where a reader stands behind it. `owner`: of a task that is gone."""

    task: int
    is_gone: bool
    owner: int | None
    tick: int
    entries: int


def _noted(place: Place, mine: TaskQuerySet, user: Person, most: int) -> Changes:
    changed: dict[int, None] = {}
    gone: dict[int, None] = {}
    tick, told, looked_at, sees_all = place.tick, place.entries, 0, may_see_all(user)

    def so_far(*, more: bool) -> Changes:
        return Changes(changed=list(changed), gone=list(gone), place=Place(tick=tick, entries=told), more=more)

    for entries in _in_parts(_entries(place)):
        seen = set(mine.filter(pk__in={each.task for each in entries if not each.is_gone}).values_list("pk", flat=True))
        for entry in entries:
            if len(changed) + len(gone) == most:
                return so_far(more=True)
            if entry.is_gone and (sees_all or entry.owner == user.pk):
                changed.pop(entry.task, None)
                gone[entry.task] = None
            elif entry.task in seen:
                changed[entry.task] = None
            tick, told = entry.tick, entry.entries
        looked_at += len(entries)
        if looked_at >= MOST_LOOKED_AT:
            return so_far(more=True)
    return so_far(more=False)


def _entries(place: Place) -> Iterator[_Entry]:
    told, tick, most = place.entries, place.tick, FEW_NOTES
    while notes := list(Change.objects.filter(tick__gt=tick).order_by("tick")[:most]):
        most = min(2 * most, AT_ONCE)  # a note may be about one task or about a thousand
        for note in notes:
            pairs: list[tuple[int, bool, int | None]] = [
                (int(task), False, None) for task in note.changed.split(",") if task
            ]
            pairs += [(int(task), True, int(owner or 0)) for task, owner in _split(note.gone)]
            for nth, pair in enumerate(pairs[told:], told + 1):
                yield _Entry(*pair, *((note.tick, 0) if nth == len(pairs) else (tick, nth)))
            told, tick = 0, note.tick


def _split(gone: str) -> list[list[str]]:
    return [each.split(":") for each in gone.split(",") if each]


def _in_parts(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    part: list[_Entry] = []
    for entry in entries:
        part.append(entry)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part
