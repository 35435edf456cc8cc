"""Tells the sink what happens here: collects events into bursts, publishes them, and says when the broker has them.

A burst leaves at once when idle and at a steady rate when busy. A STARTED whose outcome would leave with it is dropped;
one of a task that runs longer leaves after 5 ms. A burst that is not confirmed stays here and is published again.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any

from workers.broker import OUTCOMES_EXCHANGE, OUTCOMES_KEY, retries
from workers.log import get_logger
from workers.messages import Heartbeat, Returned, Started, encode_event, join_batch
from workers.pace import Pace
from workers.publisher import Message, Publisher, Verdict
from workers.taken import Taken

MAX_EVENTS = 100
MAX_BYTES = 524_288
STARTED_SECONDS = 0.005
GAP_SECONDS = 0.02
GAP_OF_SEVERAL_SECONDS = 0.05
BEHIND = 4  # bursts that the broker has not confirmed
MAX_UNCONFIRMED = 2_000  # outcomes kept in memory while the broker is away; no new work beyond

log = get_logger()


@dataclass(slots=True)
class _Burst:
    events: list[bytes] = field(default_factory=list)
    outcomes_of: list[Taken] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Awaiting:
    """What tells an outcome, once what goes before it is sent."""

    outcome: "asyncio.Task[None]"
    sendings: Collection["asyncio.Task[None]"]


class Reporter:
    def __init__(self, publisher: Publisher, worker: str, on_confirmed: Callable[[list[Taken]], None]) -> None:
        self._publisher = publisher
        self._worker = worker
        self._on_confirmed = on_confirmed
        self._pace = Pace(GAP_SECONDS, GAP_OF_SEVERAL_SECONDS)
        self._burst = _Burst()
        self._not_yet_started: dict[Taken, None] = {}  # those whose STARTED has not left
        self._watching = False
        self._wanted = asyncio.Event()
        self._publishing: set[asyncio.Task[None]] = set()
        self._awaiting: dict[Taken, _Awaiting] = {}  # those whose outcome is not to be told yet
        self._unconfirmed = 0
        self._refusal_said = ""

    @property
    def has_room(self) -> bool:
        """False while there are too many outcomes that the broker has not confirmed."""
        return self._unconfirmed + len(self._awaiting) < MAX_UNCONFIRMED

    @property
    def awaiting(self) -> list[Taken]:
        """Those that have ended, and whose outcome cannot be told yet."""
        return list(self._awaiting)

    @property
    def is_behind(self) -> bool:
        """What can wait is not to be told now."""
        return len(self._publishing) >= BEHIND

    @property
    def is_paced(self) -> bool:
        """What is told now leaves with others, some milliseconds later."""
        return self._pace.is_busy

    def started(self, taken: Taken) -> None:
        if taken.announced:
            return
        self._not_yet_started[taken] = None
        if not self._watching:
            self._watching = True
            asyncio.get_running_loop().call_later(STARTED_SECONDS, self._look_for_started)

    def outcome(self, taken: Taken, event: bytes) -> None:
        """`event` is the encoded Outcome."""
        self._not_yet_started.pop(taken, None)
        self._make_room(event)
        self._burst.outcomes_of.append(taken)
        self._unconfirmed += 1
        self._add(event)

    def outcome_after(self, sendings: Collection["asyncio.Task[None]"], taken: Taken, event: bytes) -> None:
        """The same once these are done: an outcome that is recorded has its artifacts in the broker."""
        if not sendings:
            self.outcome(taken, event)
            return
        waiting = asyncio.create_task(self._outcome_after(sendings, taken, event))
        self._awaiting[taken] = _Awaiting(waiting, sendings)
        waiting.add_done_callback(lambda _: self._awaiting.pop(taken))

    def cancel(self, taken: Taken) -> None:
        """It was cancelled: what its outcome waits for need not be sent."""
        if awaiting := self._awaiting.get(taken):
            for sending in awaiting.sendings:
                sending.cancel()

    def tell(self, event: bytes) -> None:
        """An encoded event that no delivery waits for."""
        self._make_room(event)
        self._add(event)

    def forget(self, taken: Taken) -> None:
        """It will have no outcome here."""
        self._not_yet_started.pop(taken, None)

    def returned(self, unfinished: Collection[Taken], then: Callable[[Taken], None]) -> None:
        """It was announced that they run here, and now they do not; `then` is called when the broker knows it."""
        self._flush()
        before = list(self._publishing)  # or a STARTED that is published again would come after it
        self._publish_aside(self._return(unfinished, before, then))

    def dropped(self, taken: Taken) -> None:
        """Nobody waits for its outcome."""
        self.forget(taken)
        self._on_confirmed([taken])

    async def beat(self, heartbeat: Heartbeat) -> bool:
        """Whether the broker has it. Not sent again: the next one is never far."""
        (verdict,) = await self._publisher.publish([self._message([], heartbeat)])
        return verdict is Verdict.CONFIRMED

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            await self._pace.turn()
            await asyncio.sleep(0)  # what this turn of the loop still brings leaves as well
            self._flush()

    async def nothing_awaited(self) -> None:
        """Returns when every outcome can be told."""
        while self._awaiting:
            await asyncio.wait([each.outcome for each in self._awaiting.values()])

    def abandon(self) -> list[Taken]:
        """Those whose outcome could not be told yet, and never is from here."""
        for awaiting in self._awaiting.values():
            awaiting.outcome.cancel()
        return self.awaiting

    async def drained(self) -> None:
        """Returns when the broker has confirmed everything."""
        self._flush()
        while self._publishing:
            await asyncio.wait(self._publishing)

    def _look_for_started(self) -> None:
        loop = asyncio.get_running_loop()
        due_before = loop.time() - STARTED_SECONDS * 0.9
        due = [taken for taken in self._not_yet_started if taken.begun_at <= due_before]
        for taken in due:
            del self._not_yet_started[taken]
            taken.announced = True
            self._add(encode_event(Started(task=taken.task, attempt=taken.attempt)))
        self._watching = bool(self._not_yet_started)
        if self._watching:
            loop.call_later(STARTED_SECONDS, self._look_for_started)

    def _make_room(self, event: bytes) -> None:
        full = len(self._burst.events) >= MAX_EVENTS or self._burst.size + len(event) > MAX_BYTES
        if self._burst.events and full:
            self._flush()

    def _add(self, event: bytes) -> None:
        self._burst.events.append(event)
        self._burst.size += len(event)
        self._wanted.set()

    def _flush(self) -> None:
        self._wanted.clear()
        if self._burst.events:
            self._pace.carried(len(self._burst.events))
            burst, self._burst = self._burst, _Burst()
            self._publish_aside(self._publish(burst))

    def _publish_aside(self, work: Coroutine[Any, Any, None]) -> None:
        publishing = asyncio.create_task(work)
        self._publishing.add(publishing)
        publishing.add_done_callback(self._publishing.discard)

    async def _outcome_after(self, sendings: Collection["asyncio.Task[None]"], taken: Taken, event: bytes) -> None:
        await asyncio.wait(sendings)
        if taken.cancelled:
            self.dropped(taken)
        else:
            self.outcome(taken, event)
            self._flush()

    async def _return(
        self, unfinished: Collection[Taken], before: list["asyncio.Task[None]"], then: Callable[[Taken], None]
    ) -> None:
        if before:
            await asyncio.wait(before)
        await self._publish(
            _Burst([encode_event(Returned(task=each.task, attempt=each.attempt)) for each in unfinished])
        )
        for taken in unfinished:
            then(taken)

    async def _publish(self, burst: _Burst) -> None:
        message = self._message(burst.events)
        async for _ in retries():
            await self._publisher.ready()
            (verdict,) = await self._publisher.publish([message])
            if verdict is Verdict.CONFIRMED:
                break
            self._say(verdict)
        self._refusal_said = ""
        self._unconfirmed -= len(burst.outcomes_of)
        self._on_confirmed(burst.outcomes_of)

    def _message(self, events: list[bytes], heartbeat: Heartbeat | None = None) -> Message:
        body = join_batch(self._worker, events, heartbeat)
        return Message(exchange=OUTCOMES_EXCHANGE, routing_key=OUTCOMES_KEY, body=body)

    def _say(self, verdict: Verdict) -> None:
        if verdict.name != self._refusal_said and verdict is not Verdict.UNCERTAIN:
            self._refusal_said = verdict.name
            log.warning("outcome.waiting", text="outcomes are kept here for now: {reason}", reason=verdict.value)
