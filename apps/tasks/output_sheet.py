"""The output of an attempt as the task's page shows it, and what of it a browser does not have yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from apps.tasks import live, output, terminal
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import Status
from apps.tasks.models import Attempt, Task

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apps.tasks.output import Mark, Printed
    from apps.tasks.terminal import Run, Screen

# A piece may arrive after the outcome; later than this a reload shows it.
LATE_FOR = timedelta(seconds=10)
CUT_HERE = "{:,} bytes left out here"


@dataclass(frozen=True, kw_only=True)
class OutputSheet:
    """What an attempt has printed, with the tag of what a browser has once it has been sent."""

    attempt: Attempt
    printed: Printed
    mark: Mark
    is_open: bool  # more may come
    after: int = 0  # the head's bytes that the browser has

    @property
    def tag(self) -> str:
        return _tag(self.mark, self.printed.head_end)

    @property
    def rhythm(self) -> str:
        return live.RHYTHM_MOVING

    @cached_property
    def screen(self) -> Screen:
        """The head from the line on that was the last at `after`."""
        known = [piece for piece in self.printed.head if piece.position < self.after]
        return terminal.screen(self.printed.head_parts, after=terminal.closed_lines(output.parts_of(known)))

    @property
    def tail(self) -> list[Run]:
        return terminal.runs(self.printed.tail_parts)

    @property
    def is_empty(self) -> bool:
        return not self.printed.total_bytes

    @property
    def is_running(self) -> bool:
        return self.attempt.status == Status.RUNNING

    @property
    def cut(self) -> str:
        left_out = self.printed.left_out_bytes
        return CUT_HERE.format(left_out) if left_out else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of it must be sent: `everything`, or what the head and the rest after it have gained; `closed` = no more."""

    sheet: OutputSheet
    everything: bool
    head: bool
    rest: bool
    closed: bool


def attempt_of(user: User, number: int, attempt: int | None) -> Attempt:
    """The attempt, or the last one that has begun. Raises Attempt.DoesNotExist, also when it is not theirs to see."""
    mine = Attempt.objects.filter(task=number, task__in=Task.objects.visible_to(user))
    mine = mine.defer("error_message", "traceback")
    return mine.get(number=attempt) if attempt else mine.latest("number")


def identity(attempt: Attempt | None) -> str:
    """Changes when a page must show another output: of another attempt, worker or run."""
    return live.digest(attempt.number, attempt.worker, attempt.started_at) if attempt else ""


def look(attempt: Attempt, *, after: int = 0) -> OutputSheet:
    # The mark first: what arrives while the pieces are read is then told again, not missed.
    mark = output.mark(attempt)
    printed = output.read(attempt)
    return OutputSheet(attempt=attempt, printed=printed, mark=mark, is_open=_is_open(attempt), after=after)


def changes(attempt: Attempt, tag: str | None) -> Changes | None:
    """Against what the browser's tag says that it has. None = nothing: at the price of one SELECT."""
    before, after = _read(tag)
    is_open = _is_open(attempt)
    if is_open and before == output.mark(attempt):
        return None
    sheet = look(attempt)
    other = before is None or before.run != sheet.mark.run or after > sheet.printed.head_end
    everything = other or (sheet.is_empty and not is_open)
    if not everything:
        sheet = OutputSheet(**{**vars(sheet), "after": after})
    return Changes(
        sheet=sheet,
        everything=everything,
        head=sheet.printed.head_end > after,
        rest=bool(sheet.printed.tail) and sheet.mark != before,
        closed=not is_open,
    )


def raw_text(printed: Printed) -> str:
    """As it was printed, with its escape codes; where something was left out, a line says so."""
    head, tail = ("".join(text for _, text in parts) for parts in (printed.head_parts, printed.tail_parts))
    cut = CUT_HERE.format(printed.left_out_bytes)
    return f"{head}\n[{cut}]\n{tail}" if printed.left_out_bytes else head + tail


def _is_open(attempt: Attempt) -> bool:
    if attempt.status == Status.RUNNING:
        return True
    return attempt.finished_at is not None and database_now() - attempt.finished_at < LATE_FOR


def _tag(mark: Mark, head_end: int) -> str:
    return f"{mark.run}.{mark.pieces}.{mark.end}.{head_end}"


def _read(tag: str | None) -> tuple[Mark | None, int]:
    """Of a tag that is none of ours: None, and everything is sent."""
    try:
        run, pieces, end, after = (int(part) for part in (tag or "").split("."))
    except ValueError:
        return None, 0
    return output.Mark(run=run, pieces=pieces, end=end), after
