"""What is told of the task in a slot while it runs: what it prints, and how far it has come."""

import asyncio

from workers.capture import Capture
from workers.messages import Stream, encode_event
from workers.printed import Printed
from workers.reporter import Reporter
from workers.taken import Taken

TELL_SECONDS = 0.25
BEHIND_SECONDS = 1.0  # when more is printed than can be kept, or told


class Live:
    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._capture: Capture | None = None
        self._taken: Taken | None = None
        self._printed: Printed | None = None  # most tasks print nothing
        self._progress = b""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, taken: Taken, capture: Capture) -> None:
        self._taken, self._capture = taken, capture
        capture.to(self._take)

    def progress(self, event: bytes) -> None:
        """The encoded Progress of the task that runs."""
        self._progress = event
        self._tell_in(TELL_SECONDS)

    def end(self, *, of_child: bool) -> None:
        """Tells what is left, before the outcome. A child that goes on has waited until its pipes were empty."""
        if self._capture:
            if of_child:
                self._capture.read()
            self._capture.to(None)
        self._tell(is_last=True)
        if self._timer:
            self._timer.cancel()
        self._taken = self._capture = self._printed = self._timer = None
        self._progress = b""

    def _take(self, stream: Stream, data: bytes) -> None:
        if self._taken:
            self._printed = self._printed or Printed(self._taken.task, self._taken.attempt)
            self._printed.add(stream, data)
            self._tell_in(BEHIND_SECONDS if self._printed.is_behind else TELL_SECONDS)

    def _tell_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._tell_now)

    def _tell_now(self) -> None:
        self._timer = None
        if self._reporter.is_behind:
            self._tell_in(BEHIND_SECONDS)
            return
        if self._progress:
            self._reporter.tell(self._progress)
            self._progress = b""
        self._tell(is_last=False)

    def _tell(self, *, is_last: bool) -> None:
        if self._printed:
            for piece in self._printed.pieces(is_last=is_last):
                self._reporter.tell(encode_event(piece))
