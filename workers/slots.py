"""The slots: each has a child process of its own, runs one task at a time in it, and gets a fresh child when it dies.

While tasks are very short a slot is handed some in advance, so that its child need not wait for the worker between two.
Those are not begun, and can be taken back.
"""

import asyncio
from collections import deque
from collections.abc import Container, Sequence

from workers.answers import unpack_answer
from workers.broker import retries
from workers.children import Child, ChildDied, Template
from workers.link import fits_one_packet
from workers.log import get_logger
from workers.lookahead import LookAhead
from workers.messages import ErrorInfo, Outcome, encode_event, event_head
from workers.reporter import Reporter
from workers.taken import Taken

STUCK_AFTER_SECONDS = 0.25  # a child on a busy machine may not get the processor for 0.1 s

log = get_logger()


class Slots:
    """Everything taken is here from `add` until its outcome: it waits, is handed to a slot, and may come back."""

    def __init__(
        self, count: int, template: Template, modules: Sequence[str], look_ahead: LookAhead, reporter: Reporter
    ) -> None:
        self.count = count
        self.template = template
        self._modules = modules
        self._look_ahead = look_ahead
        self._reporter = reporter
        self._waiting: deque[Taken] = deque()
        self._slots = [_Slot(self, look_ahead, reporter) for _ in range(count)]
        self._idle = asyncio.Event()
        self._idle.set()
        self._starting = asyncio.Lock()

    @property
    def running(self) -> list[Taken]:
        return [slot.handed[0] for slot in self._slots if slot.handed]

    async def run(self) -> None:
        """Keeps a child in each slot, until cancelled; kills them then. Raises HandlersUnusable."""
        try:
            async with asyncio.TaskGroup() as group:
                for slot in self._slots:
                    group.create_task(slot.keep_child())
        except BaseExceptionGroup as ended:
            raise ended.exceptions[0] from None  # all slots meet the same

    async def idle(self) -> None:
        """Returns when nothing runs."""
        await self._idle.wait()

    def add(self, taken: Taken) -> None:
        self._waiting.append(taken)
        self.feed()

    def drop(self, dropped: Container[Taken]) -> None:
        """Those are not to be run here, if they still wait; the others may go back to a slot."""
        self._waiting = deque(taken for taken in self._waiting if taken not in dropped)
        self.feed()

    def feed(self) -> None:
        """Hands what waits to the slots."""
        while self._waiting and self._reporter.has_room:
            slot = min(self._slots, key=_Slot.load)
            if slot.load() > self._look_ahead.in_advance or not slot.can_take(self._waiting[0]):
                return
            self._idle.clear()
            slot.hand(self._waiting.popleft())

    def take_back(self) -> None:
        """Puts what was handed in advance to where it waits for any slot, or another worker."""
        for slot in self._slots:
            slot.take_back()
        self._notice_idle()

    def relieve(self) -> bool:
        """Hands what waits in a slot behind a long task to the others. True: some waits, and no slot gets on."""
        for slot in self._slots:
            if slot.is_stuck:
                slot.take_back()
        self.answered()
        return bool(self._waiting) and not any(slot.gets_on for slot in self._slots)

    def returned(self, taken: Taken) -> None:
        """From a slot, not begun."""
        self._reporter.forget(taken)
        self._waiting.appendleft(taken)

    def answered(self) -> None:
        """A slot has answers, or a fresh child."""
        self.feed()
        self._notice_idle()

    def _notice_idle(self) -> None:
        if not self.running:
            self._idle.set()

    async def fresh_child(self, slot: "_Slot") -> Child:
        async for _ in retries():
            try:
                return await (await self._living_template()).fork(slot.on_answers)
            except ChildDied as error:
                log.warning("slot.without_child", text="a slot has no process to run tasks in: {reason}", reason=error)
        raise AssertionError("retries() never ends")

    async def _living_template(self) -> Template:
        async with self._starting:
            if self.template.gone.done():
                await self.template.stop()
                self.template = await Template.start(self._modules)
            return self.template


class _Slot:
    """`handed`: the first one runs, the others wait in the child's socket."""

    def __init__(self, slots: Slots, look_ahead: LookAhead, reporter: Reporter) -> None:
        self.handed: deque[Taken] = deque()
        self._slots = slots
        self._look_ahead = look_ahead
        self._reporter = reporter
        self._child: Child | None = None
        self._was_of_use = False
        self._intruder = ""
        self._retires = False  # its child has given its last answer

    @property
    def is_stuck(self) -> bool:
        """What is handed to it in advance would wait for long."""
        return bool(self.handed) and asyncio.get_running_loop().time() - self.handed[0].begun_at > STUCK_AFTER_SECONDS

    @property
    def gets_on(self) -> bool:
        return self._child is not None and not self.is_stuck

    def load(self) -> int:
        return len(self.handed) if self.gets_on else 1_000_000

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

    async def keep_child(self) -> None:
        try:
            while True:
                async for _ in retries():
                    self._was_of_use = False
                    self._child = child = await self._slots.fresh_child(self)
                    self._slots.answered()
                    self._ended(await child.ended())
                    if self._was_of_use:  # else its task is not to blame, and the next one may end as soon
                        break
        finally:
            self._lose_child()

    def on_answers(self, answers: list[bytes]) -> None:
        for answer in answers:
            if not self._is_answer(answer):
                self._intruder = "something in its process wrote to the socket that belongs to the worker"
                self._lose_child()
                break
            self._was_of_use = True
            taken = self.handed.popleft()
            run_seconds, is_last, event = unpack_answer(answer)
            self._look_ahead.ran(run_seconds)
            self._reporter.outcome(taken, event)
            if is_last:
                self._retires = True
                self._lose_child()
                break
            if self.handed:
                self._begin(self.handed[0])
        self._slots.answered()

    def _begin(self, taken: Taken) -> None:
        taken.begun_at = asyncio.get_running_loop().time()
        self._reporter.started(taken)

    def _is_answer(self, answer: bytes) -> bool:
        """Whether it is about the task that runs."""
        if not self.handed:
            return False
        try:
            *_, event = unpack_answer(answer)
        except ValueError:
            return False
        return event.startswith(event_head(Outcome.type, self.handed[0].task, self.handed[0].attempt))

    def _ended(self, how: str) -> None:
        """The end of its child is the outcome of what the child had read and not answered; the rest is innocent."""
        self._lose_child()
        how, self._intruder = self._intruder or how, ""
        retires, self._retires = self._retires, False
        if self.handed:
            self._was_of_use = True
            self._crashed(self.handed.popleft(), how)
        elif not retires:
            log.warning("slot.child_ended", text="a slot gets a new process, between two tasks: {reason}", reason=how)
        while self.handed:  # read by an intruder
            self._return(self.handed.pop())
        self._slots.answered()

    def _lose_child(self) -> None:
        child, self._child = self._child, None
        if child:
            self._take_back_unread(child)
            child.kill()

    def _take_back_unread(self, child: Child) -> None:
        # Fewer are handed than unread when something in the child has answered for a task that it never read.
        for _ in range(min(child.link.take_back(), len(self.handed))):
            self._return(self.handed.pop())

    def _return(self, taken: Taken) -> None:
        taken.in_slot = False
        self._slots.returned(taken)

    def _crashed(self, taken: Taken, how: str) -> None:
        log.warning("task.crashed", text="task {task}: {reason}", task=taken.task, reason=how)
        outcome = Outcome(
            task=taken.task,
            attempt=taken.attempt,
            status="FAILED",
            reason="CRASHED",
            error=ErrorInfo(type="Crashed", message=how),
            run_seconds=asyncio.get_running_loop().time() - taken.begun_at,
        )
        self._reporter.outcome(taken, encode_event(outcome))
