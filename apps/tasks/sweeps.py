"""An act on all tasks that a search finds: begun by a person, done in pieces by the relay, stopped at any moment."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, transaction
from django.db.models import Count, Q

from apps.api.keyset import Place
from apps.audit.journal import covered, note
from apps.tasks import services
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import Status
from apps.tasks.matching import matching
from apps.tasks.models import Sweep, Task
from apps.tasks.orders import NEWEST_FIRST
from apps.tasks.search import Mistake, parse
from apps.tasks.search_values import Clock
from apps.tasks.unmoved import unended, unmoved

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from apps.tasks.matching import Matching
    from apps.tasks.querysets import TaskQuerySet
    from apps.tasks.search import Query

PIECE = 200  # tasks in one transaction; others write in between

ACTS: Final[dict[str, Callable[..., services.Act]]] = {
    "retry": services.retry,
    "cancel": services.cancel,
    "delete": services.delete,
    "priority": services.set_priority,
}


class Moved(Exception):
    """More tasks match than the person was shown, or none any more."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


def has_moved(count: int, expected: int) -> bool:
    """Fewer do no harm: on a live queue some are gone at any moment."""
    return count > expected or (expected > 0 and not count)


def service(act: str, priority: int | None) -> Callable[..., services.Act]:
    """What does it with some tasks. `priority`: what that act sets, None for the others."""
    return ACTS[act] if priority is None else partial(ACTS[act], priority=priority)


def count(user: User, text: str, zone: str) -> int:
    """How many match now, all of them counted. Raises Mistake."""
    return _found(user, text, zone, database_now()).count()


def standing(user: User, text: str, zone: str) -> dict[str, int]:
    """The same by status, in one walk. Raises Mistake."""
    # Not grouped: SQLite would then walk the index of statuses, whatever is searched for.
    each = {status: Count("pk", filter=Q(status=status)) for status in Status.values}
    return _found(user, text, zone, database_now()).aggregate(**each)


def begin(
    *, user: User, act: str, text: str, zone: str, expected: int, priority: int | None = None, form: str = ""
) -> Sweep:
    """Raises Mistake, Moved when there are more of them than `expected` or none any more, and Refused.

    `form`: a text of its own for each form; when the same is sent again, what it began before is the answer.
    """
    services.check_writer(user, f"bulk.{act}")
    if priority is not None:
        services.check_priority(priority)
    asked = {"act": act, "priority": priority, "query": text, "zone": zone}
    if not form:
        return _begin(user, asked, expected, None)
    # Of all that was asked for: who goes back to the page may press another button there.
    key = hashlib.sha256(json.dumps([form, *asked.values()]).encode()).hexdigest()
    begun = Sweep.objects.filter(user=user, key=key)
    with suppress(IntegrityError):  # it was sent once more at this moment
        return begun.first() or _begin(user, asked, expected, key)
    return begun.get()


def _begin(user: User, asked: dict[str, Any], expected: int, key: str | None) -> Sweep:
    # Before they are counted: what is created meanwhile is none of them.
    last = Task.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    now = database_now()
    text, act, priority = asked["query"], asked["act"], asked["priority"]
    if has_moved(counted := _found(user, text, asked["zone"], now).count(), expected):
        raise Moved(counted)
    with transaction.atomic():
        sweep = Sweep.objects.create(user=user, **asked, count=expected, last=last, begun_at=now, key=key)
        sweep.matched = counted
        found_by = f"found by {text}" if text else "all"
        said = found_by if priority is None else f"priority {priority}: {found_by}"
        note(f"bulk.{act}", f"bulk {sweep.pk}", user=user, count=counted, details=said)
    return sweep


def under_way(user: User) -> QuerySet[Sweep]:
    """Those that this person has begun."""
    return Sweep.objects.filter(user=user, ended_at=None).order_by("pk")


def stop(*, user: User, number: int) -> None:
    """What it has done by now stays done."""
    with transaction.atomic():
        if Sweep.objects.filter(pk=number, user=user, ended_at=None, stopped=False).update(stopped=True):
            note("bulk.stop", f"bulk {number}", user=user)


def advance() -> bool:
    """Does the next piece of the sweep that was begun first. Whether there may be more to do."""
    sweep = Sweep.objects.filter(ended_at=None).order_by("pk").select_related("user").first()
    if not sweep:
        return False
    found = _reading(sweep)
    numbers, goes_on_at = _next(sweep, found) if found else ([], None)
    with transaction.atomic():
        # Another relay may have been here in the meantime.
        held = Sweep.objects.select_for_update().filter(pk=sweep.pk, at=sweep.at, ended_at=None).first()
        if held:
            held.stopped |= found is None
            _do(held, _meant(held, found, numbers) if found else [], goes_on_at)
    return True


def _reading(sweep: Sweep) -> Reading | None:
    """None: it is over."""
    if sweep.stopped or not sweep.user.is_active:
        return None
    try:
        return _read(sweep.user, sweep.query, sweep.zone, sweep.begun_at)
    except (Mistake, ZoneInfoNotFoundError):  # of another version, or of another host
        return None


def _next(sweep: Sweep, found: Reading) -> tuple[list[int], int | None]:
    """The next numbers, upwards, and behind which one it goes on; None when these are the last."""
    places, end = found.matching.places(NEWEST_FIRST.turned, Place(sweep.at), PIECE)
    numbers = [place.number for place in places if place.number <= sweep.last]
    last = places[-1].number if len(places) == PIECE else end
    return numbers, last if last is not None and last < sweep.last else None


def _meant(sweep: Sweep, found: Reading, numbers: list[int]) -> list[int]:
    """Those that matched when the sweep was begun, and do so now that nobody else can change them."""
    tasks = found.matching.all.filter(pk__in=numbers)
    # What is to be cancelled may have begun since, unless it was searched for as what had not.
    moves_on = sweep.act == Sweep.Act.CANCEL and not found.query.asks_how_it_stands
    left = unended(tasks, sweep.begun_at) if moves_on else unmoved(tasks, numbers, sweep.begun_at)
    return list(left.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))


def _do(sweep: Sweep, numbers: list[int], goes_on_at: int | None) -> None:
    if numbers:
        with covered():
            act = service(sweep.act, sweep.priority)(user=sweep.user, numbers=numbers)
        sweep.done += len(act.done)
        sweep.refused += len(act.refused)
        sweep.refusal = sweep.refusal or next(iter(act.refused.values()), "")[:200]
    if goes_on_at is None:
        sweep.ended_at = database_now()
    else:
        sweep.at = goes_on_at
    sweep.save()


class Reading(NamedTuple):
    """What was understood of a sweep's text, and what that finds."""

    query: Query
    matching: Matching


def _read(user: User, text: str, zone: str, now: datetime) -> Reading:
    query = parse(text, Clock(now=now, zone=ZoneInfo(zone)))
    return Reading(query, matching(query, user))


def _found(user: User, text: str, zone: str, now: datetime) -> TaskQuerySet:
    return _read(user, text, zone, now).matching.all.order_by()
