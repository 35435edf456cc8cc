"""What can be done with all failed tasks of one cause: retry them, delete them."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog

from apps.audit.journal import covered, note
from apps.tasks import services
from apps.tasks.drafts import Problem, Refused
from apps.tasks.failures import COUNT_CAP, of_cause
from workers.messages import storable

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    from apps.tasks.querysets import TaskQuerySet

AT_ONCE = services.MOST_AT_ONCE
ACT_SECONDS = 20.0  # somebody waits for the answer
UNSAID = "It was not said how many tasks are meant: look at the failures once more."

DONE = {"retry": "retried", "delete": "deleted"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person saw: how many (up to COUNT_CAP + 1), and when the last of them had failed.

    Only those are meant. One that fails again after it was retried is none of them.
    """

    count: int
    last_at: datetime

    @classmethod
    def of(cls, count: int, last_at: datetime) -> Self:
        """Raises Refused, as `decode` does."""
        with suppress(ValueError, OverflowError):  # times at the ends of all calendars
            if 0 < count <= COUNT_CAP + 1:
                return cls(count, last_at.astimezone(UTC))
        raise _refused(UNSAID)

    @classmethod
    def decode(cls, text: str) -> Self:
        count, _, moment = text.partition("@")
        try:
            return cls.of(int(count), datetime.fromisoformat(moment))
        except ValueError:
            raise _refused(UNSAID) from None


@dataclass(frozen=True, slots=True)
class Done:
    """How many tasks; why others were not, by number; how many are left for want of time, counted to COUNT_CAP + 1."""

    count: int
    refused: dict[int, str]
    left: int


def retry(*, user: User, cause: str, shown: Shown) -> Done:
    """Raises Refused when there are more than were shown, or none any more; so does `delete`."""
    return _act(user, cause, shown, services.retry, "retry")


def delete(*, user: User, cause: str, shown: Shown) -> Done:
    return _act(user, cause, shown, services.delete, "delete")


def _act(user: User, cause: str, shown: Shown, act: Callable[..., services.Act], word: str) -> Done:
    services.check_writer(user, f"failures.{word}", f"cause {cause}")
    meant = of_cause(user, cause).filter(finished_at__lte=shown.last_at).order_by("finished_at", "id")
    _check_count(now := _count(meant) if storable(cause) else 0, shown.count)
    # Before the first piece: whatever ends this, it stands there who has begun it.
    note(f"failures.{word}", f"cause {cause}", user=user, count=now)
    count, refused, deadline = 0, dict[int, str](), time.monotonic() + ACT_SECONDS
    # What is done leaves the group; what is refused stays, and is passed over.
    while numbers := list(meant.values_list("id", flat=True)[len(refused) : len(refused) + AT_ONCE]):
        with covered():
            result = act(user=user, numbers=numbers)
        count += len(result.done)
        refused |= result.refused
        if time.monotonic() > deadline or not (result.done or result.refused):
            break
    left = max(_count(meant) - len(refused), 0)
    text = "{user} has {done} {count} failed tasks of the cause {cause}, {left} left"
    log.info("failures.acted", text=text, user=user.username, done=DONE[word], count=count, cause=cause, left=left)
    return Done(count, refused, left)


def _count(tasks: TaskQuerySet) -> int:
    return tasks.order_by()[: COUNT_CAP + 1].count()


def _check_count(now: int, shown: int) -> None:
    if not now:
        raise _refused("No task of these is failed any more: nothing was changed.")
    if now > shown and shown < COUNT_CAP:  # from there on it is counted no more
        raise _refused(f"Nothing was changed: {shown:,} failed tasks were shown, and of these there are {now:,} now.")


def _refused(message: str) -> Refused:
    return Refused([Problem(field=(), message=message, code="CONFLICT")])
