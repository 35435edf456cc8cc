"""The artifacts of one slot's tasks: pieces from a child, which is not believed, made into chunks for the courier.

Few chunks are on their way at once. When there are as many as may be, the child is not heard and has to wait in its
`send`; and once it is through, nothing else is to begin in its slot.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from workers.artifacts import CHUNK_BYTES, CHUNK_HEADER, MOST_ARTIFACTS, MOST_TOGETHER, Chunk, Label
from workers.courier import Courier
from workers.fields import BadMessage
from workers.pieces import BEGIN, DATA, END, MOST_DATA, Piece
from workers.taken import Taken

WINDOW = 4  # chunks that the broker has not confirmed

Sending = asyncio.Task[None]


@dataclass(slots=True)
class _Run:
    """Of one attempt, in this slot. `artifacts`: how many have begun. `id`: minted for the first."""

    task: int
    attempt: int
    id: str = ""
    artifacts: int = 0
    size: int = 0
    is_given_up: bool = False
    sending: set[Sending] = field(default_factory=set)


@dataclass(slots=True)
class _Open:
    """An artifact whose end has not come. `is_short`: its last piece was not full, so none can follow."""

    nth: int
    ordinal: int
    label: Label
    index: int = 0
    size: int = 0
    is_short: bool = False
    rest: bytearray = field(default_factory=bytearray)
    hash: Any = field(default_factory=hashlib.sha256)


class Parcels:
    """`hold`, `go_on`: whether the child is to be heard. `largest`: bytes of one artifact."""

    def __init__(
        self, courier: Courier, worker: str, largest: int, hold: Callable[[], None], go_on: Callable[[], None]
    ) -> None:
        self._courier = courier
        self._worker = worker
        self._largest = largest
        self._hold = hold
        self._go_on = go_on
        self._run: _Run | None = None
        self._open: _Open | None = None
        self._on_their_way: set[Sending] = set()

    @property
    def are_full(self) -> bool:
        """As many chunks are on their way as may be."""
        return len(self._on_their_way) >= WINDOW

    def begin(self, taken: Taken) -> None:
        self._run, self._open = _Run(taken.task, taken.attempt), None

    def is_of_this_run(self, piece: Piece) -> bool:
        return self._run is not None and (piece.task, piece.attempt) == (self._run.task, self._run.attempt)

    def take(self, piece: Piece) -> bool:
        """Of this run. Whether it may be sent."""
        run, opened = self._run, self._open
        if run is None or run.is_given_up:
            return run is not None
        if piece.sort == BEGIN:
            return self._take_beginning(run, piece)
        if opened is None or piece.nth != opened.nth:
            return False
        if piece.sort == DATA:
            return self._take_data(run, opened, piece.data)
        if piece.sort == END and not piece.data:
            self._send(run, opened, bytes(opened.rest), is_last=True)
            self._open = None
            return True
        return False

    def give_up(self) -> None:
        """It is to end soon: if it waits for room here it waits no longer, and what it still hands over is lost."""
        if self._run and self.are_full:
            self._run.is_given_up, self._open = True, None
            self._go_on()

    def end(self) -> Collection[Sending]:
        """The run is over; what of its artifacts the broker does not have yet."""
        run, self._run, self._open = self._run, None, None
        return list(run.sending) if run else []

    def drop(self) -> None:
        """The run is over, and nobody waits for its artifacts."""
        for sending in self.end():
            sending.cancel()

    def _take_beginning(self, run: _Run, piece: Piece) -> bool:
        try:
            label = Label.decode(piece.data)
        except BadMessage:
            return False
        if run.artifacts >= MOST_ARTIFACTS:
            return False
        run.id = run.id or secrets.token_hex(8)
        self._open = _Open(piece.nth, run.artifacts, label)
        run.artifacts += 1
        return True

    def _take_data(self, run: _Run, opened: _Open, data: bytes) -> bool:
        opened.size += len(data)
        run.size += len(data)
        too_much = opened.size > self._largest or run.size > MOST_TOGETHER * self._largest
        if opened.is_short or not 0 < len(data) <= MOST_DATA or too_much:
            return False
        opened.is_short = len(data) < MOST_DATA  # many small ones would keep the worker from everything else
        opened.hash.update(data)
        opened.rest += data
        if len(opened.rest) > CHUNK_BYTES:
            chunk = bytes(opened.rest[:CHUNK_BYTES])
            del opened.rest[:CHUNK_BYTES]
            self._send(run, opened, chunk, is_last=False)
        return True

    def _send(self, run: _Run, opened: _Open, body: bytes, *, is_last: bool) -> None:
        whole: dict[str, Any] = {"size": opened.size, "sha256": opened.hash.hexdigest()} if is_last else {}
        chunk = Chunk(
            task=run.task,
            attempt=run.attempt,
            worker=self._worker,
            run=run.id,
            ordinal=opened.ordinal,
            index=opened.index,
            label=opened.label,
            **whole,
        )
        opened.index += 1
        sending = asyncio.create_task(self._courier.deliver(body, {CHUNK_HEADER: chunk.encode()}))
        run.sending.add(sending)
        self._on_their_way.add(sending)
        sending.add_done_callback(partial(self._sent, run))
        if self.are_full:
            self._hold()

    def _sent(self, run: _Run, sending: Sending) -> None:
        run.sending.discard(sending)
        self._on_their_way.discard(sending)
        if not self.are_full:
            self._go_on()
