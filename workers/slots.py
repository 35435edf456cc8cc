"""The slots together: who gets what waits, and what comes back from them.

While tasks are very short a slot is handed some in advance, so that its child need not wait for the worker between two.
Those are not begun, and can be taken back. Code that runs in the sandbox has cells, one beside each slot.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Container, Sequence
from typing import cast

from workers.cell import Cell
from workers.children import Template
from workers.failures import MOST_TEXT
from workers.lookahead import LookAhead
from workers.messages import NO_SANDBOX, ErrorInfo, Outcome, encode_event
from workers.nursery import Nursery
from workers.parcels import Parcels
from workers.raised import clean
from workers.reporter import Reporter
from workers.sandbox.ending import KIND
from workers.sandbox.probe import Findings
from workers.slot import Slot
from workers.taken import Taken

PROCESS = "a process"
CELL = "a process of the sandbox"


class Slots:
    """Everything taken is here from `add` until its outcome: it waits, is handed to a slot, and may come back."""

    def __init__(
        self,
        count: int,
        template: Template,
        modules: Sequence[str],
        look_ahead: LookAhead,
        reporter: Reporter,
        *,
        parcels: Callable[[Callable[[], None], Callable[[], None]], Parcels],
        sandbox: Findings | None = None,
    ) -> None:
        """`parcels`: made for each slot. `sandbox`: None when this worker is not to know of code at all."""
        self.count = count
        self.parcels = parcels
        self._look_ahead = look_ahead
        self._reporter = reporter
        self._waiting: deque[Taken] = deque()
        self._nursery = Nursery(self, PROCESS, lambda: Template.start(modules), template)
        self._slots = [Slot(self, self._nursery, look_ahead, reporter) for _ in range(count)]
        self.sandbox: Nursery | None = None
        self._refusal = clean(sandbox.refusal(), MOST_TEXT) if sandbox and not sandbox.plan else ""
        self._cells: list[Slot] = []
        if sandbox and (plan := sandbox.plan):
            self.sandbox = cells = Nursery(self, CELL, lambda: Template.start_sandbox(plan, sandbox.bubblewrap))
            self._cells = [Cell(self, cells, look_ahead, reporter) for _ in range(count)]
        for slot, cell in zip(self._slots, self._cells, strict=False):
            slot.twin, cell.twin = cell, slot
        self._all = (*self._slots, *self._cells)
        self._idle = asyncio.Event()
        self._idle.set()
        self._lacking: set[str] = set()
        self.able = asyncio.Event()
        self.able.set()

    @property
    def template(self) -> Template:
        """That of the handlers."""
        return cast("Template", self._nursery.template)  # it was given

    @property
    def running(self) -> list[Taken]:
        return [slot.handed[0] for slot in self._all if slot.handed]

    @property
    def none_waits(self) -> bool:
        return not self._waiting

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
                for slot in self._all:
                    group.create_task(slot.keep_child())
        except BaseExceptionGroup as ended:
            raise ended.exceptions[0] from None  # all slots meet the same

    async def idle(self) -> None:
        """Returns when nothing runs."""
        await self._idle.wait()

    def add(self, taken: Taken) -> None:
        if self._refusal and taken.kind == KIND:
            self._refuse(taken)
            return
        self._waiting.append(taken)
        if len(self._waiting) == 1:  # else what stands before it waits for a slot already
            self.feed()

    def drop(self, dropped: Container[Taken]) -> None:
        """Those are not to be run here, if they still wait; the others may go back to a slot."""
        self._waiting = deque(taken for taken in self._waiting if taken not in dropped)
        self.feed()

    def cancel(self, taken: Taken) -> None:
        """It does not wait here any more. If it runs it is ended, and settled then without an outcome."""
        taken.cancelled = True
        self.drop([taken])
        for slot in self._all:
            slot.cancel(taken)

    def feed(self) -> None:
        """Hands what waits to the slots."""
        while self._waiting and self._reporter.has_room:
            fit = self._fit_for(self._waiting[0])
            slot = fit[0] if len(fit) == 1 else min(fit, key=Slot.load)
            if slot.load() > self._look_ahead.in_advance or not slot.can_take(self._waiting[0]):
                return
            self._idle.clear()
            slot.hand(self._waiting.popleft())

    def _refuse(self, taken: Taken) -> None:
        """The web hands it to another worker, as long as there is one that runs code."""
        taken.in_slot = True  # there is nothing of it to be given back
        outcome = Outcome(
            task=taken.task,
            attempt=taken.attempt,
            status="FAILED",
            reason="UNKNOWN_KIND",
            error=ErrorInfo(type=NO_SANDBOX, message=self._refusal),
            run_seconds=0.0,
        )
        self._reporter.outcome(taken, encode_event(outcome))

    def _fit_for(self, taken: Taken) -> list[Slot]:
        if not self.sandbox or taken.kind != KIND:
            return self._slots
        self.sandbox.wanted.set()
        return self._cells

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
        if taken.cancelled:
            self._reporter.dropped(taken)
        else:
            self._reporter.forget(taken)
            self._waiting.appendleft(taken)

    def answered(self) -> None:
        """A slot has answers, or a fresh child."""
        self.feed()
        self._notice_idle()

    def _notice_idle(self) -> None:
        if not any(slot.handed for slot in self._all):
            self._idle.set()
