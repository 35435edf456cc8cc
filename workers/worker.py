"""One worker process: wires its parts together, runs until it is to stop, then lets running tasks finish and leaves."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from workers import disk, heart
from workers.address import Address
from workers.artifacts import DEFAULT_LARGEST
from workers.children import HandlersUnusable, Template
from workers.claim import Claims
from workers.consumer import Consumer
from workers.control import Control
from workers.courier import Courier
from workers.endpoint import Endpoint
from workers.log import get_logger
from workers.lookahead import LookAhead
from workers.memory import Attempt
from workers.messages import Heartbeat, Orders
from workers.parcels import Parcels
from workers.publisher import Publisher
from workers.reporter import Reporter
from workers.sandbox.kind import announcement
from workers.sandbox.probe import Findings
from workers.slots import Slots
from workers.taken import Taken

REST_SECONDS = 0.1
LAST_SECONDS = 0.8  # for what the broker has yet to confirm when the grace is over

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    addresses: Sequence[Address]
    web_url: str
    token: str
    queues: list[str]
    concurrency: int
    grace_seconds: float
    modules: list[str]
    artifact_bytes: int = DEFAULT_LARGEST
    sandbox: Findings | None = None  # None: code is not to be run


class Worker:
    def __init__(self, settings: Settings, template: Template, signals: "asyncio.Queue[signal.Signals]") -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._settings = settings
        self._signals = signals
        self._draining = self._leaving = False
        self._told_to_stop = asyncio.Event()
        self._aside: set[asyncio.Task[Any]] = set()
        self._publisher = Publisher(settings.addresses)
        self._reporter = Reporter(self._publisher, self.name, self._on_confirmed)
        self._courier = Courier(settings.addresses)
        look_ahead = LookAhead(settings.concurrency)
        self._slots = Slots(
            settings.concurrency,
            template,
            settings.modules,
            look_ahead,
            self._reporter,
            parcels=partial(Parcels, self._courier, self.name, settings.artifact_bytes),
            sandbox=settings.sandbox,
        )
        endpoint = Endpoint(settings.web_url, settings.token)
        self._consumer = Consumer(
            settings.addresses,
            settings.queues,
            slots=self._slots,
            look_ahead=look_ahead,
            claims=Claims(endpoint, self.name, self._reporter.tell),
            control=Control(
                endpoint,
                self.name,
                on_cancelled=self._on_cancelled,
                on_paused=self._on_paused,
                on_orders=self._on_orders,
            ),
            reporter=self._reporter,
            publisher=self._publisher,
        )

    async def run(self) -> None:
        """Until a signal or an order to stop. Raises HandlersUnusable, in order, when they can be served no more.

        Raises what a part of it raises, which is a fault in the program.
        """
        connections = [
            asyncio.create_task(part) for part in (self._publisher.run(), self._courier.run(), self._consumer.run())
        ]
        slots = asyncio.create_task(self._slots.run())
        beating = asyncio.create_task(heart.beat(self._publisher, self._reporter, self._heartbeat))
        reporting = asyncio.create_task(self._reporter.run())
        watching = asyncio.create_task(disk.watch(self._slots))
        asked = [asyncio.create_task(self._signals.get()), asyncio.create_task(self._stopped())]
        self._say_hello()
        try:
            unusable = await self._first_of([*asked, beating, reporting, watching, *connections, slots])
            await _end(asked)  # or the next signal would go there
            await self._leave(slots)
        finally:
            await _end([*asked, beating, reporting, watching, slots])
            await _end(connections)
        if unusable:
            raise unusable

    async def _leave(self, slots: "asyncio.Task[None]") -> None:
        """Takes no more, finishes, gives back what did not finish in time, says goodbye."""
        self._leaving = self._draining = True
        log.info("worker.draining", text="stopping: {count} running task(s) may finish", count=len(self._slots.running))
        await self._consumer.stop_taking()
        waits: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._signals.get()),  # a second one means: now
            asyncio.create_task(self._finished()),
        ]
        await asyncio.wait(waits, timeout=self._settings.grace_seconds, return_when=asyncio.FIRST_COMPLETED)
        await _end([*waits, slots])
        unfinished = [*self._slots.running, *self._reporter.abandon()]
        self._consumer.give_back_all(unfinished)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self._reporter.drained()
                await self._reporter.beat(self._heartbeat(full=False, leaving=True))
        log.info("worker.left", text="stopped; {count} unfinished task(s) given back", count=len(unfinished))

    async def _finished(self) -> None:
        await self._slots.idle()
        await self._reporter.nothing_awaited()

    def _on_confirmed(self, confirmed: list[Taken]) -> None:
        self._consumer.settle(confirmed)
        self._slots.feed()

    def _on_cancelled(self, attempts: list[Attempt]) -> None:
        self._consumer.cancel(attempts)

    def _on_paused(self, queues: list[str]) -> None:
        self._consumer.serve([] if self._draining else set(self._settings.queues).difference(queues))

    def _on_orders(self, orders: Orders) -> None:
        if self._leaving:
            return
        was_draining, stops = self._draining, self.name in orders.stopping
        self._draining = stops or self.name in orders.draining
        if stops:
            self._told_to_stop.set()
        else:
            self._told_to_stop.clear()
        self._on_paused(orders.paused)
        if self._draining != was_draining:
            self._say_draining()

    def _say_draining(self) -> None:
        """At once: somebody waits for it at the page of workers."""
        text = "draining: takes nothing new, by order" if self._draining else "takes tasks again"
        log.info("worker.drains" if self._draining else "worker.resumes", text=text)
        beat = asyncio.create_task(self._reporter.beat(self._heartbeat(full=False)))
        self._aside.add(beat)
        beat.add_done_callback(self._aside.discard)

    async def _stopped(self) -> None:
        """Returns once it has been told to stop, and nothing runs any more. It may be told otherwise until then."""
        while True:
            await self._told_to_stop.wait()
            await asyncio.sleep(REST_SECONDS)
            if self._consumer.is_resting:
                await self._finished()
                if self._told_to_stop.is_set():
                    return

    async def _first_of(self, tasks: "list[asyncio.Task[Any]]") -> HandlersUnusable | None:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            try:
                task.result()
            except HandlersUnusable as unusable:
                return unusable
        return None

    def _say_hello(self) -> None:
        if sandbox := self._settings.sandbox:
            say = log.info if sandbox.plan and not sandbox.missing else log.warning
            say("worker.sandbox", text="{sandbox}", sandbox=sandbox.sentence())
        kinds = ", ".join(kind["name"] for kind in self._kinds())
        log.info(
            "worker.started",
            text="worker {name} with {slots} slot(s) runs {kinds}",
            name=self.name,
            slots=self._settings.concurrency,
            kinds=kinds,
        )

    def _heartbeat(self, full: bool, *, leaving: bool = False) -> Heartbeat:
        return Heartbeat(
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=self._settings.queues,
            concurrency=self._settings.concurrency,
            # What is not told to be here is taken for lost.
            running=[taken.task for taken in (*self._slots.running, *self._reporter.awaiting)],
            draining=self._draining,
            leaving=leaving,
            rss_bytes=heart.memory_bytes(),
            kinds=self._kinds() if full else None,
            environment=self._environment() if full else None,
        )

    def _kinds(self) -> list[dict[str, Any]]:
        return [*self._slots.template.kinds, *([announcement()] if self._slots.sandbox else [])]

    def _environment(self) -> dict[str, Any]:
        sandbox = self._settings.sandbox
        return {**self._slots.template.environment, **(sandbox.announced() if sandbox else {})}


async def _end(tasks: "list[asyncio.Task[Any]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
