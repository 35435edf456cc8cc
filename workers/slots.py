"""The slots together: who gets what waits, and what comes back from them.

While tasks are very short a slot is handed some in advance, so that its child need not wait for the worker between two.
Those are not begun, and can be taken back.
"""

import asyncio
from collections import deque
from collections.abc import Container, Sequence

from workers.broker import retries
from workers.children import Child, ChildDied, Template
from workers.log import get_logger
from workers.lookahead import LookAhead
from workers.reporter import Reporter
from workers.slot import Slot
from workers.taken import Taken

FAILURES = 3  # in a row for each slot, which takes a second, until what waits is given back
PROCESS = "a process"

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
        self._slots = [Slot(self, look_ahead, reporter) for _ in range(count)]
        self._idle = asyncio.Event()
        self._idle.set()
        self._starting = asyncio.Lock()
        self._without_child: dict[Slot, str] = {}  # why
        self._failures = 0
        self._lacking: set[str] = set()
        self.able = asyncio.Event()
        self.able.set()

    @property
    def running(self) -> list[Taken]:
        return [slot.handed[0] for slot in self._slots if slot.handed]

    @property
    def unable(self) -> bool:
        """Something is lacking without which no task is to begin."""
        return not self.able.is_set()

    def lack(self, what: str) -> None:
        """No more is taken, and what waits goes to another worker."""
        self._lacking.add(what)
        self.able.clear()
        self._look_ahead.changed.set()

    def lack_no_more(self, what: str) -> None:
        self._lacking.discard(what)
        if not self._lacking:
            self.able.set()

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

    def cancel(self, taken: Taken) -> None:
        """It does not wait here any more. If it runs it is ended, and settled then without an outcome."""
        taken.cancelled = True
        self.drop([taken])
        for slot in self._slots:
            slot.cancel(taken)

    def feed(self) -> None:
        """Hands what waits to the slots."""
        while self._waiting and self._reporter.has_room:
            slot = min(self._slots, key=Slot.load)
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
        if not taken.cancelled:
            self._waiting.appendleft(taken)

    def answered(self) -> None:
        """A slot has answers, or a fresh child."""
        self.feed()
        self._notice_idle()

    def _notice_idle(self) -> None:
        if not self.running:
            self._idle.set()

    async def fresh_child(self, slot: Slot) -> Child:
        async for _ in retries():
            try:
                child = await (await self._living_template()).fork(slot.on_answers)
            except ChildDied as error:
                self._note_without_child(slot, str(error))
            else:
                self._note_child(slot)
                return child
        raise AssertionError("retries() never ends")

    def _note_without_child(self, slot: Slot, why: str) -> None:
        if why not in self._without_child.values():
            log.warning("slot.without_child", text="a slot has no process to run tasks in: {reason}", reason=why)
        self._without_child[slot] = why
        self._failures += 1
        if len(self._without_child) == self.count and self._failures >= FAILURES * self.count:
            self.lack(PROCESS)

    def _note_child(self, slot: Slot) -> None:
        if self._without_child.pop(slot, ""):
            log.info("slot.with_child", text="a slot has a process to run tasks in again")
        self._failures = 0
        self.lack_no_more(PROCESS)

    async def _living_template(self) -> Template:
        async with self._starting:
            if self.template.gone.done():
                await self.template.stop()
                try:
                    self.template = await Template.start(self._modules)
                except OSError as error:  # no memory, process or descriptor left, for now
                    raise ChildDied(f"the one it is forked from was not started: {error}") from None
            return self.template
