"""PUBLIC. What a handler may say, and hand over, while it runs.

    from workers.task import artifact, progress

    for n, sample in enumerate(samples):
        progress(n / len(samples), "fitting")
    artifact("fit.csv", "fit.csv")        # a file
    artifact(png, "fit.png")              # bytes

Outside of a worker, as in a test of the handler, arguments are checked and nothing else happens.
"""

import math
import os
import threading
import time
from collections.abc import Callable

from workers.answers import pack_note
from workers.artifacts import MOST_ARTIFACTS, Label, largest
from workers.messages import MAX_PROGRESS_LENGTH, Progress, encode_event
from workers.pieces import BEGIN, DATA, END, Piece, pack_piece
from workers.raised import clean
from workers.sources import ArtifactRefused, Source, check_name, pieces_of, type_of

__all__ = ["ArtifactRefused", "Markdown", "artifact", "current", "progress"]

QUIET_SECONDS = 0.01
SMALL_STEP = 0.01


def progress(fraction: float | None, text: str = "") -> None:
    """How far the task has come: from 0 to 1, None when that cannot be told; and what it is at.

    It may be called as often as is convenient: what differs little from what was said just before is not sent.
    """
    current.progress(fraction, text)


def artifact(source: Source, name: str, content_type: str | None = None) -> None:
    """Keeps a file, or bytes, with the task: it is listed on the task's page under this name, to be downloaded.

    `source`: a path, or bytes. `content_type`: unless given, guessed from the name. It returns when all bytes are on
    their way, and waits while RabbitMQ takes none. Raises ArtifactRefused.
    """
    current.artifact(source, name, content_type)


class Markdown(str):
    """A text that is shown as Markdown when a handler returns it."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


class Current:
    """The task that runs in this process, for as long as it runs."""

    def __init__(self) -> None:
        self._say: Callable[[bytes], None] | None = None
        self._process = 0  # which has begun a task
        self._one_at_a_time = threading.RLock()
        self._artifacts = 0

    def begin(self, task: int, attempt: int, say: Callable[[bytes], None]) -> None:
        """`say` takes a body for the worker."""
        self._task, self._attempt, self._say = task, attempt, say
        self._process = os.getpid()
        self._said: tuple[float | None, str] = (None, "")
        self._said_at = -math.inf
        self._artifacts = 0

    def end(self) -> None:
        self._say = None

    def progress(self, fraction: float | None, text: str) -> None:
        fraction, text = _within_bounds(fraction), clean(str(text), MAX_PROGRESS_LENGTH)
        if self._say is None or self._is_old_news(fraction, text):
            return
        self._said, self._said_at = (fraction, text), time.monotonic()
        event = Progress(task=self._task, attempt=self._attempt, fraction=fraction, text=text)
        self._say(pack_note(encode_event(event)))

    def artifact(self, source: object, name: object, content_type: object = None, *, shown: bool = False) -> None:
        """`shown`: it is what the task returned. Raises ArtifactRefused."""
        name = check_name(name)
        label = Label(name=name, content_type=type_of(name, content_type), shown=shown)
        with self._one_at_a_time, pieces_of(source, largest(os.environ)) as pieces:
            if not self._process:
                return
            hand = self._hand_of_this_task()
            if self._artifacts >= MOST_ARTIFACTS:
                many = (
                    f"a task keeps at most {MOST_ARTIFACTS} artifacts; put several files into one, such as a zip file"
                )
                raise ArtifactRefused(many)
            self._artifacts += 1
            hand(BEGIN, label.encode())
            for data in pieces:
                hand(DATA, data)
            hand(END, b"")

    def _hand_of_this_task(self) -> Callable[[bytes, bytes], None]:
        """Fails in a thread that goes on when the task is over."""
        task, attempt, nth, own = self._task, self._attempt, self._artifacts + 1, self._say
        if os.getpid() != self._process:
            raise ArtifactRefused(
                "artifact() is for the handler's own process: return the bytes there, and keep them here"
            )

        def hand(sort: bytes, data: bytes) -> None:
            say = self._say
            if say is None or say is not own or task != self._task:
                raise ArtifactRefused("the task is over: an artifact is kept while its handler runs")
            say(pack_piece(Piece(task, attempt, nth, sort, data)))

        return hand

    def _is_old_news(self, fraction: float | None, text: str) -> bool:
        before, text_before = self._said
        step = abs((fraction or 0) - (before or 0))
        return text == text_before and step < SMALL_STEP and time.monotonic() - self._said_at < QUIET_SECONDS


def _within_bounds(fraction: float | None) -> float | None:
    if fraction is None or math.isnan(fraction):
        return None
    return min(1.0, max(0.0, float(fraction)))


current = Current()
