"""What happened to a task and what is to come, in order: told from its row and its attempts, stored nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from apps.tasks.lifecycle import Reason, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from apps.tasks.models import Attempt, Task

MOST_TEXT: Final = 200


class What(StrEnum):
    CREATED = "CREATED"
    DUE = "DUE"
    HANDED_OVER = "HANDED_OVER"
    STARTED = "STARTED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`actor`: the person who created it, or the worker."""

    at: datetime
    type: What
    text: str
    actor: str | None = None


def of(task: Task, attempts: Iterable[Attempt]) -> list[Event]:
    """The oldest first. `attempts`: all of them."""
    return sorted(_told(task, list(attempts)), key=lambda event: event.at)


def _told(task: Task, attempts: list[Attempt]) -> Iterator[Event]:
    by = task.created_by.get_username() if task.created_by else None
    yield Event(at=task.created_at, type=What.CREATED, text="Created.", actor=by)
    for attempt in attempts:
        yield from _of_attempt(attempt)
    has_begun = any(attempt.number == task.attempt for attempt in attempts)
    if task.run_at and task.run_at > task.created_at and not (has_begun and task.attempt == 1):
        yield Event(at=task.run_at, type=What.DUE, text=f"Attempt {task.attempt} is due.")
    if task.handed_at:
        yield Event(at=task.handed_at, type=What.HANDED_OVER, text=f"Attempt {task.attempt} was handed to RabbitMQ.")
    if task.finished_at and not any(each.number == task.attempt and each.status in _ENDS for each in attempts):
        yield Event(at=task.finished_at, type=What(task.status), text=_end(task))


def _of_attempt(attempt: Attempt) -> Iterator[Event]:
    said = f"Attempt {attempt.number}"
    yield Event(at=attempt.started_at, type=What.STARTED, text=f"{said} began.", actor=attempt.worker)
    if attempt.finished_at and attempt.status in _ENDS:
        text = f"{said} {_ENDS[attempt.status]}{_why(attempt)}."
        yield Event(at=attempt.finished_at, type=What(attempt.status), text=text, actor=attempt.worker)


_ENDS: Final[dict[str, str]] = {
    Status.FINISHED: "finished",
    Status.FAILED: "failed",
    Status.CANCELLED: "was cancelled",
}


def _why(attempt: Attempt) -> str:
    message = attempt.error_message.strip().partition("\n")[0][:MOST_TEXT].rstrip(".")
    return f": {': '.join(filter(None, [attempt.error_type, message]))}" if attempt.error_type else ""


def _end(task: Task) -> str:
    """Of one that ended without an attempt that did."""
    if task.status == Status.FAILED and task.reason:
        return f"Failed: {Reason(task.reason).label}."
    return f"{Status(task.status).label}."
