"""What a task prints, asked for from where it was known last; it may begin anew, or leave something out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from millrace import documents
from millrace.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from millrace.transport import Transport

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
# What was printed last may arrive after the outcome.
LATE_LOOKS, LATE_PAUSE = 3, 0.3


@dataclass(frozen=True)
class Piece:
    """Some text of one stream ("stdout" or "stderr") of an attempt; before it `left_out` bytes are not kept.

    `begins_anew`: what came before was of another attempt, or of a run that has vanished.
    """

    stream: str
    text: str
    attempt: int
    left_out: int = 0
    begins_anew: bool = False

    @property
    def shown(self) -> str:
        """The text, after a line that tells what is not kept."""
        return f"\n[{self.left_out:,} bytes left out here]\n{self.text}" if self.left_out else self.text


def follow(transport: Transport, number: int, attempt: int | None, *, until_ended: bool) -> Iterator[Piece]:
    """What is there, and with `until_ended` what comes until the attempt, or without one the task, has ended."""
    at = _Place()
    pause, looks = FIRST_PAUSE, LATE_LOOKS
    while True:
        asked = {"id": str(number), "attempt": attempt, "after": at.position}
        task = transport.ask(documents.OUTPUT, asked, safe=True)["task"]
        if task is None:
            raise NotFound(f"there is no task {number}")
        found = task["attempt"]
        if found is None and attempt is not None:
            raise NotFound(f"task {number} has no attempt {attempt}")
        if found and at.is_other(found):
            at.begin(found)
            continue
        pieces = list(at.read(found)) if found else []
        yield from pieces
        if not until_ended:
            return
        if (found if attempt else task)["status"] in ("QUEUEING", "RUNNING"):
            pause = FIRST_PAUSE if pieces else min(1.5 * pause, LONGEST_PAUSE)
        else:
            looks -= 1
            if not looks:
                return
            pause = LATE_PAUSE
        time.sleep(pause)


class _Place:
    """Up to where the output of an attempt is known."""

    def __init__(self) -> None:
        self.position = 0
        self._attempt = 0
        self._begins_anew = False

    def is_other(self, found: dict[str, Any]) -> bool:
        """Whether what it knows is of another attempt, or of a run of it that has vanished."""
        return self.position > 0 and (found["number"] != self._attempt or found["output"]["totalBytes"] < self.position)

    def begin(self, found: dict[str, Any]) -> None:
        self.position, self._attempt, self._begins_anew = 0, found["number"], True

    def read(self, found: dict[str, Any]) -> Iterator[Piece]:
        self._attempt = found["number"]
        for piece in found["output"]["pieces"]:
            left_out = int(piece["position"]) - self.position
            for part in piece["texts"]:
                stream = part["stream"].lower()
                yield Piece(stream, part["text"], self._attempt, max(left_out, 0), self._begins_anew)
                left_out, self._begins_anew = 0, False
            self.position = int(piece["position"] + piece["bytes"])
