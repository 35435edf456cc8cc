"""What attempts print: pieces written in batches, each once, and read as far as they follow each other.

Pieces may come twice, late and out of order. A run that begins anew tells it by another piece at position 0; the same
piece once more is a message that came twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, F, Max, Min, Q

from apps.tasks.batches import upsert_rows
from apps.tasks.models import WORKER_LENGTH, OutputPiece
from workers.messages import BIGGEST_ID, HEAD_BYTES, TAIL_BYTES, Output

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.tasks.models import Attempt

Parts = Sequence[tuple[str, str]]  # (stream, text), in the order of their arrival
Run = tuple[int, int, str]  # task, attempt, worker

COLUMNS = ("task", "attempt", "worker", "position", "size", "parts")
FURTHEST = "t.position + t.size <= excluded.position + excluded.size"


class Piece(NamedTuple):
    """A piece, and the worker that printed it."""

    worker: str
    event: Output

    @property
    def run(self) -> Run:
        return self.event.task, self.event.attempt, self.worker[:WORKER_LENGTH]


def is_sound(event: Output) -> bool:
    """Whether it can be stored: no piece goes on beyond the head, nor beyond the database's numbers."""
    end = event.position + event.size
    return end <= HEAD_BYTES or HEAD_BYTES <= event.position <= end <= BIGGEST_ID


def write(pieces: Sequence[Piece]) -> None:
    """Of tasks whose rows this transaction has locked."""
    if not pieces:
        return
    firsts = _firsts([piece.run for piece in pieces if piece.event.position == 0])
    anew: set[Run] = set()
    latest: dict[Run, dict[int, Output]] = {}
    for piece in pieces:
        run, position, event = piece.run, piece.event.position, piece.event
        if position == 0 and firsts.setdefault(run, event.parts) != event.parts:
            firsts[run] = event.parts
            anew.add(run)
            latest.pop(run, None)
        known = latest.setdefault(run, {})
        if position not in known or _end(known[position]) <= _end(event):
            known[position] = event
    if anew:
        OutputPiece.objects.filter(reduce(or_, map(_of, anew))).delete()
    # In one order for everybody, as the tasks are locked.
    rows = [
        (*run, position, event.size, event.parts)
        for run, events in sorted(latest.items())
        for position, event in sorted(events.items())
    ]
    upsert_rows(OutputPiece, COLUMNS, rows, unique=COLUMNS[:4], update=COLUMNS[4:], only_if=FURTHEST)
    _forget_what_is_left_out({run: max(map(_end, events.values())) for run, events in latest.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where the output of an attempt stands. Equal marks = nothing new.

    `run`: the number of its first piece, which changes when it begins anew; `end`: the furthest byte that is known.
    """

    run: int = 0
    pieces: int = 0
    end: int = 0


def mark(attempt: Attempt) -> Mark:
    """In one SELECT that reads no text."""
    found = _pieces(attempt).aggregate(run=Min("id"), pieces=Count("id"), end=Max(F("position") + F("size")))
    return Mark(run=found["run"] or 0, pieces=found["pieces"], end=found["end"] or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What an attempt printed: from its beginning to byte `head_end`, then perhaps a gap, then its newest end."""

    head: Sequence[OutputPiece]
    tail: Sequence[OutputPiece]

    @property
    def head_end(self) -> int:
        return self.head[-1].position + self.head[-1].size if self.head else 0

    @property
    def total_bytes(self) -> int:
        return self.tail[-1].position + self.tail[-1].size if self.tail else self.head_end

    @property
    def left_out_bytes(self) -> int:
        return max(self.tail[0].position - self.head_end, 0) if self.tail else 0

    @property
    def head_parts(self) -> Parts:
        return parts_of(self.head)

    @property
    def tail_parts(self) -> Parts:
        return parts_of(self.tail)


def read(attempt: Attempt) -> Printed:
    """What its worker printed. Of the head, pieces after one that has not arrived are held back."""
    found = list(_pieces(attempt).order_by("position"))
    head: list[OutputPiece] = []
    for piece in found:
        if piece.position < HEAD_BYTES and piece.position == (head[-1].position + head[-1].size if head else 0):
            head.append(piece)
    return Printed(head=head, tail=_newest([piece for piece in found if piece.position >= HEAD_BYTES]))


def parts_of(pieces: Sequence[OutputPiece]) -> Parts:
    return [(stream, text) for piece in pieces for stream, text in piece.parts]


def _newest(pieces: Sequence[OutputPiece]) -> Sequence[OutputPiece]:
    """Those at the end that follow each other without a gap, as many as TAIL_BYTES need."""
    first = len(pieces)
    wanted = pieces[-1].position + pieces[-1].size - TAIL_BYTES if pieces else 0
    while first and (first == len(pieces) or _follows(pieces[first - 1], pieces[first], wanted)):
        first -= 1
    return pieces[first:]


def _follows(piece: OutputPiece, next_one: OutputPiece, wanted: int) -> bool:
    return piece.position + piece.size == next_one.position > wanted


def _forget_what_is_left_out(ends: dict[Run, int]) -> None:
    """`ends`: the furthest byte of each run. No piece is longer than TAIL_BYTES."""
    old = [
        _of(run) & Q(position__gte=HEAD_BYTES, position__lte=end - 2 * TAIL_BYTES)
        for run, end in ends.items()
        if end > HEAD_BYTES + 2 * TAIL_BYTES
    ]
    if old:
        OutputPiece.objects.filter(reduce(or_, old)).delete()


def _firsts(runs: Sequence[Run]) -> dict[Run, Parts]:
    """What the runs began with, of those that have begun."""
    if not runs:
        return {}
    found = OutputPiece.objects.filter(task__in={task for task, _, _ in runs}, position=0)
    rows = found.values_list("task_id", "attempt", "worker", "parts")
    return {
        (task, attempt, worker): [(stream, text) for stream, text in parts] for task, attempt, worker, parts in rows
    }


def _of(run: Run) -> Q:
    task, attempt, worker = run
    return Q(task=task, attempt=attempt, worker=worker)


def _end(event: Output) -> int:
    return event.position + event.size


def _pieces(attempt: Attempt) -> QuerySet[OutputPiece]:
    return OutputPiece.objects.filter(_of((attempt.task_id, attempt.number, attempt.worker)))
