"""The relay's work: round after round it carries what is due to the broker, and marks what the broker has confirmed."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from apps.relay import schedule, seat
from apps.relay.canary import Canary
from apps.relay.counting import count_minutes
from apps.relay.database import AWAY, Database
from apps.relay.declared import Declared
from apps.relay.depths import Depths
from apps.relay.doubts import Doubts
from apps.relay.forgetting import forget_changes
from apps.relay.looking import Looking
from apps.relay.orders import OrderTeller
from apps.relay.parked import Parked
from apps.relay.reconciler import Reconciler
from apps.relay.seat import SWEEP_SECONDS
from apps.relay.signs import give_signs
from apps.relay.sweeping import sweep
from apps.tasks.clock import database_now
from apps.tasks.models import CancelledAttempt
from workers.broker import CONTROL_EXCHANGE, TASKS_EXCHANGE, BrokerLost, Connection
from workers.log import get_logger
from workers.messages import AGAIN_HEADER, Cancellation, task_body
from workers.pace import Pace
from workers.publisher import Message, Publisher, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from apps.relay.schedule import Due
    from workers.broker import Address

log = get_logger()

BATCH = 500
GAP_SECONDS = 0.02  # between two rounds when busy, so that batches grow
GAP_OF_SEVERAL_SECONDS = 0.05
BEHIND = "The relay is behind: tasks that are due wait although RabbitMQ has room for them."
OUTCOMES_LATE = "The sink is behind: outcomes take longer than 10 seconds to be recorded."
LIMITED_SECONDS = 0.1  # nobody says when a task of a limited queue has ended
REST_SECONDS = 2.0  # at most, with nothing to do and no hint: clocks are put forward, and hosts suspended
PAUSE_SECONDS = 1.0  # after the database was found away, or the broker has refused a whole batch


class Relay:
    """Carries until stopped. Waits for the broker and the database as long as they are away, and says so once."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._publisher = Publisher(addresses, prepare=self._declare)
        self._publishing: asyncio.Task[None] | None = None
        self._database = Database()
        self._pace = Pace(GAP_SECONDS, GAP_OF_SEVERAL_SECONDS)
        self._schedule = schedule.Schedule()
        self._declared = Declared()
        self._depths = Depths()
        self._canary = Canary(self._publisher, self._database, self._declare_again)
        self._reconciler = Reconciler(
            self._database, self._depths, self._canary, lambda: self._schedule.queues, self._declare_again
        )
        self._parked = Parked(self._depths)
        self._looking = Looking(self._database, self._depths, lambda: self._schedule.queues)
        self._held: seat.Seat | None = None
        self._rest_seconds = SWEEP_SECONDS
        self._database_away = False
        self._refusal_said = ""
        self._stopping = False

    def stop(self) -> None:
        """Finish the round and leave."""
        self._stopping = True
        if self._held:
            self._held.hint()

    def hurry(self) -> None:
        """Wait for no more confirms; what has been confirmed is still marked."""
        if self._publishing:
            self._publishing.cancel()

    async def run(self) -> None:
        while not self._stopping:
            try:
                async with seat.taken() as held:
                    await self._serve(held)
            except AWAY as error:
                if not self._database_away:
                    log.warning("relay.database_away", text="waiting for the database: {reason}", reason=error)
                self._database_away = True
                await self._database.close_connection()
                await asyncio.sleep(PAUSE_SECONDS)

    async def _serve(self, held: seat.Seat) -> None:
        self._held = held
        doubts = Doubts(await self._database.run(database_now), BATCH)
        self._publishing = asyncio.create_task(self._publisher.run())
        signs = give_signs(self._database, self._troubles)
        watching = (self._canary.run(), self._reconciler.run(), self._parked.run(), self._looking.run())
        orders = OrderTeller(self._publisher, self._database, held.news())
        parts = (signs, *watching, orders.run(), sweep(held.news()), count_minutes(), forget_changes())
        beside = [asyncio.create_task(part) for part in parts]
        for each in beside:
            each.add_done_callback(lambda _: held.hint())
        try:
            while not (self._stopping or held.lost.done() or any(each.done() for each in beside)):
                await self._pace.turn()
                if not await self._round(doubts):
                    await held.hinted(self._rest_seconds)
        finally:
            ending = [*beside, self._publishing]
            for each in ending:
                each.cancel()
            await asyncio.wait(ending)
        for each in beside:
            if not each.cancelled():
                each.result()

    async def _round(self, doubts: Doubts) -> bool:
        """Whether there may be more to do at once."""
        batch, untold = await self._database.run(partial(self._look, doubts))
        if self._database_away:
            log.info("relay.database_back", text="the database is back")
            self._database_away = False
        if self._declared.lacks(self._schedule.queues):
            await self._declare_again()
        if batch:
            self._pace.carried(len(batch))
            await self._carry(batch, doubts)
            untold = await self._database.run(self._untold)
        told = await self._tell_cancelled(untold)
        return BATCH in (len(batch), told)

    @property
    def _most(self) -> int:
        return BATCH if self._publisher.connected and not self._publisher.blocked else 0

    def _untold(self) -> dict[int, tuple[int, int]]:
        """Of which attempts the workers are yet to be told that nobody is to run them."""
        return CancelledAttempt.objects.untold(BATCH) if self._most else {}

    def _look(self, doubts: Doubts) -> tuple[list[Due], dict[int, tuple[int, int]]]:
        """What is due; when nothing is, of what the workers are yet to be told."""
        doubts.forget_what_is_over()
        most = self._most
        batch = self._schedule.look(most, frozenset(self._declared.unusable))
        untold = {} if batch else self._untold()
        self._rest_seconds = LIMITED_SECONDS if self._schedule.holds_back else SWEEP_SECONDS
        if most and not (batch or untold or self._schedule.holds_back or self._declared.unusable):
            # Whatever else makes a task due is committed, and hinted.
            self._rest_seconds = min(REST_SECONDS, self._schedule.rest_seconds() or SWEEP_SECONDS)
        return batch, untold

    async def _carry(self, batch: Sequence[Due], doubts: Doubts) -> None:
        again = doubts.about(batch)
        verdicts = await self._publisher.publish([_message(each, again) for each in batch])
        await self._mark(batch, verdicts, doubts)

    async def _mark(self, batch: Sequence[Due], verdicts: Sequence[Verdict], doubts: Doubts) -> None:
        answers = list(zip(batch, verdicts, strict=True))
        doubts.unanswered({(due.task, due.attempt) for due, verdict in answers if verdict is Verdict.UNCERTAIN})
        if confirmed := [due for due, verdict in answers if verdict is Verdict.CONFIRMED]:
            await self._database.run(partial(schedule.mark_handed_over, confirmed))
        self._schedule.handed_over(confirmed)
        if Verdict.UNROUTABLE in verdicts:
            await self._declare_again()
        if confirmed:
            self._refusal_said = ""
        elif batch and self._publisher.connected:
            await self._refused(verdicts)

    async def _refused(self, verdicts: Collection[Verdict]) -> None:
        """Says why, and tries again: at once, for it may be mended by now, then more slowly."""
        why = "; ".join(sorted({verdict.value for verdict in verdicts}))
        if why == self._refusal_said:
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            log.warning("tasks.refused", text="RabbitMQ took none of the tasks that are due: {why}", why=why)
        self._refusal_said = why

    async def _tell_cancelled(self, untold: Mapping[int, tuple[int, int]]) -> int:
        """Tells the workers of them; how many. Never before a task: it would wait longer."""
        if not untold or await self._publisher.publish([_cancellation(untold.values())]) not in TOLD:
            return 0
        await self._database.run(partial(CancelledAttempt.objects.told, list(untold)))
        return len(untold)

    async def _declare(self, broker: Connection) -> None:
        await self._declared.begin(broker, self._schedule.queues)
        self._depths.begin(broker)

    async def _declare_again(self) -> None:
        with contextlib.suppress(BrokerLost):  # the publisher meets it too, says it, and declares when it is back
            await self._declared.declare(self._schedule.queues)

    def _troubles(self) -> dict[str, str]:
        at_work = bool(self._most)
        return {
            "broker": self._trouble_with_broker(),
            "relay": BEHIND if at_work and self._schedule.is_behind else "",
            "outcomes": OUTCOMES_LATE if at_work and self._canary.is_late else "",
            "parked": self._parked.sentence,
        }

    def _trouble_with_broker(self) -> str:
        if reason := self._publisher.trouble:
            return f"The relay cannot use RabbitMQ, so new tasks wait: {reason}"
        if self._publisher.blocked:
            return "RabbitMQ is out of memory or disk: new tasks wait until it has room."
        unusable = [f"The queue {queue} cannot be used: {why}" for queue, why in self._declared.unusable.items()]
        return " ".join(unusable)


TOLD = ([Verdict.CONFIRMED], [Verdict.UNROUTABLE])  # without a worker there is nobody to tell; each asks when it comes


def _message(due: Due, again: set[tuple[int, int]]) -> Message:
    body = task_body(due.task, due.attempt, due.kind, due.params, due.timeout_seconds)
    headers = {AGAIN_HEADER: 1} if due.handed_at or (due.task, due.attempt) in again else None
    return Message(exchange=TASKS_EXCHANGE, routing_key=due.queue, body=body, headers=headers)


def _cancellation(attempts: Iterable[tuple[int, int]]) -> Message:
    body = Cancellation(attempts=list(attempts)).encode()
    return Message(exchange=CONTROL_EXCHANGE, routing_key="", body=body)
