"""Where slots get fresh children from: a template, which is started when the first is wanted and after each end of it.

Tells the slots when none of them has got a child for a while, and when one has again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from workers.broker import retries
from workers.children import Child, ChildDied, Template
from workers.log import get_logger

if TYPE_CHECKING:
    from workers.slot import Slot
    from workers.slots import Slots

FAILURES = 3  # in a row for each slot, which takes a second, until what waits is given back

log = get_logger()


class Nursery:
    """`what`: a word for what the slots lack without it."""

    def __init__(
        self,
        slots: "Slots",
        what: str,
        start: Callable[[], Coroutine[Any, Any, Template]],
        template: Template | None = None,
    ) -> None:
        self.template = template
        self.wanted = asyncio.Event()
        self._slots = slots
        self._what = what
        self._start = start
        self._starting = asyncio.Lock()
        self._without_child: dict[Slot, str] = {}  # why
        self._failures = 0
        if template:
            self.wanted.set()

    async def fresh_child(self, slot: "Slot") -> Child:
        """Once children are wanted at all. Raises HandlersUnusable."""
        await self.wanted.wait()
        async for _ in retries():
            try:
                child = await (await self._living_template()).fork(slot.on_answers)
            except ChildDied as error:
                self._note_without_child(slot, str(error))
            else:
                self._note_child(slot)
                return child
        raise AssertionError("retries() never ends")

    def _note_without_child(self, slot: "Slot", why: str) -> None:
        if why not in self._without_child.values():
            log.warning("slot.without_child", text="a slot has no process to run tasks in: {reason}", reason=why)
        self._without_child[slot] = why
        self._failures += 1
        count = self._slots.count
        if len(self._without_child) == count and self._failures >= FAILURES * count:
            self._slots.lack(self._what)

    def _note_child(self, slot: "Slot") -> None:
        if self._without_child.pop(slot, ""):
            log.info("slot.with_child", text="a slot has a process to run tasks in again")
        self._failures = 0
        self._slots.lack_no_more(self._what)

    async def _living_template(self) -> Template:
        async with self._starting:
            if self.template and not self.template.gone.done():
                return self.template
            if self.template:
                await self.template.stop()
            try:
                self.template = await self._start()
            except OSError as error:  # no memory, process or descriptor left, for now
                raise ChildDied(f"the one it is forked from was not started: {error}") from None
            return self.template
