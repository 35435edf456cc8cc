"""A slot for code that nobody vouches for: each task has a child of the sandbox to itself, which is not believed.

It is the twin of a slot for handlers, and only one of the two runs something at a time.
"""

import asyncio
import time

from workers.answers import Answer
from workers.children import Child
from workers.messages import encode_event
from workers.pieces import Piece
from workers.sandbox import own
from workers.slot import Slot
from workers.taken import Taken

MOST_NOTES = 1_000  # a second, and as many at once


class Cell(Slot):
    _notes = 0
    _spare: asyncio.Task[Child] | None = None  # made while a task runs: it takes longer than most of them

    def can_take(self, taken: Taken) -> bool:  # noqa: ARG002
        """A child takes one task in its life."""
        return not self.handed

    async def _fresh_child(self) -> Child:
        spare, self._spare = self._spare, None
        return await (spare or super()._fresh_child())

    async def _leave(self) -> None:
        if self._spare and not self._spare.cancel() and not self._spare.exception():
            self._spare.result().kill()
        await super()._leave()

    def _begin(self, taken: Taken) -> None:
        self._spare = self._spare or asyncio.create_task(super()._fresh_child())
        self._notes = 0
        self._began = time.monotonic()
        super()._begin(taken)

    def _answer_in(self, said: bytes) -> Answer | None:
        taken = self.handed[0] if self.handed else None
        passed = time.monotonic() - self._began if taken else 0.0
        outcome = own.outcome_of(said, taken.task, taken.attempt, within_seconds=passed) if taken else None
        return Answer(run_seconds=passed, is_last=True, event=encode_event(outcome)) if outcome else None

    def _on_piece(self, piece: Piece) -> bool:
        return self._parcels.is_of_this_run(piece) and self._parcels.take(piece)

    def _on_note(self, event: bytes) -> bool:
        """Too many keep the worker from everything else."""
        if not self.handed:
            return False
        self._notes += 1
        taken, most = self.handed[0], MOST_NOTES * (1 + time.monotonic() - self._began)
        progress = own.progress_of(event, taken.task, taken.attempt)
        if progress is None or self._notes > most:
            return False
        return super()._on_note(encode_event(progress))
