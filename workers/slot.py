"""One slot: it has a child process, runs one task at a time in it, and gets a fresh child when that one ends."""

import asyncio
import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from workers.answers import Answer, is_answer, note_in, unpack_answer
from workers.broker import retries
from workers.children import Child
from workers.link import fits_one_packet, last_piece
from workers.live import Live
from workers.log import get_logger
from workers.lookahead import LookAhead
from workers.messages import ErrorInfo, Outcome, Progress, encode_event, event_head
from workers.parcels import Parcels
from workers.pieces import Piece, piece_in
from workers.reporter import Reporter
from workers.taken import Taken
from workers.timelimit import STOP_SECONDS, TimeLimit, too_long

if TYPE_CHECKING:
    from workers.nursery import Nursery
    from workers.slots import Slots

STUCK_AFTER_SECONDS = 0.25  # a child on a busy machine may not get the processor for 0.1 s
KILLED_SECONDS = 0.5  # for the system, to end what was killed
ENOUGH = 32  # handed in advance, and each of them tiny: it is not through with them before the link has rested
INTRUDER = "something in its process wrote to the socket that belongs to the worker"

log = get_logger()

Verdict = Callable[[Taken, str], None]


class Slot:
    """`handed`: the first one runs, the others wait in the child's socket.

    `twin`: the other one that shares its place among the worker's, so while one has something to run the other has not.
    """

    def __init__(self, slots: "Slots", nursery: "Nursery", look_ahead: LookAhead, reporter: Reporter) -> None:
        self.handed: deque[Taken] = deque()
        self.twin: Slot | None = None
        self._slots = slots
        self._nursery = nursery
        self._look_ahead = look_ahead
        self._reporter = reporter
        self._live = Live(reporter)
        self._parcels: Parcels = slots.parcels(self._hold, self._go_on)
        self._child: Child | None = None
        self._was_of_use = False
        self._clock: asyncio.TimerHandle | None = None  # of the task that runs, when it has a limit
        self._stopping: Taken | None = None  # at the cost of whatever is there with it, so nothing else is handed
        self._verdict: Verdict | None = None  # of the task at whose cost the child is ended from here; it gets no other

    @property
    def is_stuck(self) -> bool:
        """What is handed to it in advance would wait for long."""
        return bool(self.handed) and _now() - self.handed[0].begun_at > STUCK_AFTER_SECONDS

    @property
    def gets_on(self) -> bool:
        if self._child is None or self._verdict or self._stopping or self.is_stuck or self._parcels.are_full:
            return False
        return self.twin is None or not self.twin.is_stuck

    def load(self) -> int:
        is_free = self.twin is None or not self.twin.handed
        return len(self.handed) if is_free and self.gets_on else 1_000_000

    def can_take(self, taken: Taken) -> bool:
        """Large bodies travel in several packets, which could not be taken back."""
        return not self.handed or (fits_one_packet(taken.body) and fits_one_packet(self.handed[0].body))

    def hand(self, taken: Taken) -> None:
        if self._child:
            taken.in_slot = True
            self.handed.append(taken)
            self._child.link.post(taken.body)
            if len(self.handed) == 1:
                self._begin(taken)

    def take_back(self) -> None:
        if self._child and len(self.handed) > 1:
            self._take_back_unread(self._child)

    def cancel(self, taken: Taken) -> None:
        """Ends it if it runs; else it is back where it waits, or has its outcome."""
        self._kill(taken, self._cancelled)

    async def keep_child(self) -> None:
        try:
            while True:
                async for _ in retries():
                    self._was_of_use = False
                    self._child = child = await self._fresh_child()
                    self._slots.answered()
                    self._ended(await child.ended())
                    if self._was_of_use:  # else its task is not to blame, and the next one may end as soon
                        break
        finally:
            await self._leave()

    def on_answers(self, answers: list[bytes]) -> None:
        for answer in answers:
            if not is_answer(answer) and self._on_aside(answer):
                continue
            told = self._answer_in(answer)
            if told is None:
                log.warning("slot.intruder", text="a slot gets a new process: {reason}", reason=INTRUDER)
                self._retire(lambda taken, _how: self._crashed(taken, INTRUDER))
                break
            self._was_of_use = True
            self._stop_clock()
            self._live.end(of_child=told.is_last)
            taken = self.handed.popleft()
            self._look_ahead.ran(told.run_seconds)
            if taken.cancelled:
                self._parcels.drop()
                self._reporter.dropped(taken)
            else:
                self._reporter.outcome_after(self._parcels.end(), taken, told.event)
            if told.is_last:
                self._retire(self._crashed)
                break
            if taken is self._stopping:  # not before: that it is over lets others be handed out
                self._stopping = None
            if self.handed:
                self._begin(self.handed[0])
        self._slots.answered()
        if self._child and self._is_busy():
            self._child.link.rest()

    def _is_busy(self) -> bool:
        """With tiny tasks, and whether their answers are read at once or in a moment is all the same."""
        if len(self.handed) >= ENOUGH:
            return True
        return bool(self.handed) and self._look_ahead.is_tiny and self._slots.none_waits and self._reporter.is_paced

    async def _fresh_child(self) -> Child:
        return await self._nursery.fresh_child(self)

    def _begin(self, taken: Taken) -> None:
        taken.begun_at = _now()
        if self._child:
            self._child.link.go_on()  # it may be held for the artifacts of the task before
            self._live.begin(taken, self._child.capture)
        self._parcels.begin(taken)
        if taken.timeout_seconds is not None:
            self._clock = _later(taken.timeout_seconds, partial(self._stop, taken))
        self._reporter.started(taken)

    def _stop(self, taken: Taken) -> None:
        """Its time is over: it is told so, and killed when it does not end."""
        if child := self._alone_with(taken):
            child.send_signal(signal.SIGTERM)
            self._parcels.give_up()
            self._clock = _later(STOP_SECONDS, partial(self._kill, taken, self._timed_out))

    def _kill(self, taken: Taken, verdict: Verdict) -> None:
        if child := self._alone_with(taken):
            self._verdict = verdict
            child.send_signal(signal.SIGKILL)  # what it may have answered just before is still read

    def _alone_with(self, taken: Taken) -> Child | None:
        """The child if it has read this task and not answered it. No other is in it then, nor gets there.

        A child answers one task before it reads the next, so once the unread are out the answers tell which one runs.
        """
        child = self._child
        if child is None or taken not in self.handed:
            return None
        self._stopping = taken
        if fits_one_packet(taken.body):
            self._take_back_unread(child)
        child.link.read()
        is_alone = self._child is child and bool(self.handed) and self.handed[0] is taken
        if not is_alone:
            self._stopping = None
        self._slots.answered()  # what was taken back need not wait for its end
        return child if is_alone else None

    def _stop_clock(self) -> None:
        if self._clock:
            self._clock.cancel()
            self._clock = None

    def _on_aside(self, said: bytes) -> bool:
        """Whether it may be sent."""
        if note := note_in(said):
            return self._on_note(note)
        piece = piece_in(said)
        return piece is not None and self._on_piece(piece)

    def _on_note(self, event: bytes) -> bool:
        """Whether one may be sent. From a thread that a task has left behind it may come when it is over."""
        if self.handed and event.startswith(self._head_of(Progress.type)):
            self._live.progress(event)
        return True

    def _on_piece(self, piece: Piece) -> bool:
        """Whether one may be sent; one from a thread that an earlier task has left behind is nothing."""
        return not self._parcels.is_of_this_run(piece) or self._parcels.take(piece)

    def _hold(self) -> None:
        if self._child:
            self._child.link.hold()

    def _go_on(self) -> None:
        if self._child:
            self._child.link.go_on()
        self._slots.answered()

    def _answer_in(self, said: bytes) -> Answer | None:
        """What it says about the task that runs."""
        try:
            told = unpack_answer(said)
        except ValueError:
            return None
        return told if self.handed and told.event.startswith(self._head_of(Outcome.type)) else None

    def _head_of(self, event_type: str) -> bytes:
        return event_head(event_type, self.handed[0].task, self.handed[0].attempt)

    def _ended(self, how: str) -> None:
        """The end of its child is the outcome of what the child had read and not answered; the rest is innocent."""
        self._live.end(of_child=True)
        self._lose_child()
        verdict, self._verdict = self._verdict, None
        if self.handed:
            self._was_of_use = True
            taken = self.handed.popleft()
            (self._cancelled if taken.cancelled else verdict or self._crashed)(taken, how)
        elif not verdict:
            log.warning("slot.child_ended", text="a slot gets a new process, between two tasks: {reason}", reason=how)
        while self.handed:  # read by an intruder
            self._return(self.handed.pop())
        self._slots.answered()

    def _retire(self, verdict: Verdict) -> None:
        """Its child gets no other task."""
        self._live.end(of_child=True)
        self._verdict = verdict
        self._lose_child()

    def _lose_child(self) -> None:
        child, self._child = self._child, None
        if child:
            self._take_back_unread(child)
            self._stop_clock()
            self._stopping = None
            child.kill()

    async def _leave(self) -> None:
        """Returns when nothing of its child is left, as far as that is a matter of moments."""
        child = self._child
        if child:
            child.link.read()
            self._live.end(of_child=True)
            self._lose_child()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KILLED_SECONDS):
                    await child.ended()

    def _take_back_unread(self, child: Child) -> None:
        """Meanwhile a child that goes on may have read one that was handed later, and run it first."""
        unread = set(child.link.take_back())
        if not unread:
            return
        before = list(self.handed)
        self.handed.clear()
        self.handed.extend(taken for taken in before if last_piece(taken.body) not in unread)
        for taken in reversed(before):
            if last_piece(taken.body) in unread:
                self._return(taken)
        if before[:1] != list(self.handed)[:1]:
            self._stop_clock()
            if self.handed:
                self._begin(self.handed[0])

    def _return(self, taken: Taken) -> None:
        taken.in_slot = False
        self._slots.returned(taken)

    def _cancelled(self, taken: Taken, _how: str) -> None:
        self._parcels.drop()
        self._reporter.dropped(taken)

    def _crashed(self, taken: Taken, how: str) -> None:
        log.warning("task.crashed", text="task {task}: {reason}", task=taken.task, reason=how)
        self._failed(taken, "CRASHED", ErrorInfo(type="Crashed", message=how))

    def _timed_out(self, taken: Taken, _how: str) -> None:
        how = f"{too_long(taken.timeout_seconds or 0)} and was killed {STOP_SECONDS:g} s later"
        log.warning("task.timed_out", text="task {task}: {reason}", task=taken.task, reason=how)
        self._failed(taken, "TIMEOUT", ErrorInfo(type=TimeLimit.__name__, message=how))

    def _failed(self, taken: Taken, reason: str, error: ErrorInfo) -> None:
        outcome = Outcome(
            task=taken.task,
            attempt=taken.attempt,
            status="FAILED",
            reason=reason,
            error=error,
            run_seconds=_now() - taken.begun_at,
        )
        self._reporter.outcome_after(self._parcels.end(), taken, encode_event(outcome))


def _now() -> float:
    # What the loop counts by. Asked for the loop, Python asks the system each time whether it was forked.
    return time.monotonic()


def _later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, call)
