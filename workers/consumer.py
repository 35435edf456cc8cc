"""Takes deliveries from the queues and settles them: acked once the broker has the outcome, given back unstarted.

Everything runs on the event loop, so nothing here needs a lock. When the connection is lost, what was not begun is
forgotten (the broker hands it out again); what runs goes on, and is joined by its new delivery if that comes here.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from workers.broker import (
    NO_SUCH_QUEUE,
    Address,
    BrokerLost,
    Channel,
    Connection,
    Delivery,
    keep_connected,
    tasks_queue,
    while_open,
)
from workers.claim import Claims
from workers.consumers import Consumers
from workers.control import Control
from workers.endpoint import Refused
from workers.holdings import Holdings
from workers.lookahead import LookAhead
from workers.memory import Attempt
from workers.messages import AGAIN_HEADER, BadMessage, TaskMessage
from workers.parking import park
from workers.presence import Presence
from workers.publisher import Publisher
from workers.reporter import Reporter
from workers.settling import Settling
from workers.slots import Slots
from workers.taken import Taken
from workers.watch import watch

LOOK_SECONDS = 0.1
CANCEL_SECONDS = 0.5


class Consumer:
    _presence: Presence

    def __init__(
        self,
        addresses: Sequence[Address],
        queues: Sequence[str],
        *,
        slots: Slots,
        look_ahead: LookAhead,
        claims: Claims,
        control: Control,
        reporter: Reporter,
        publisher: Publisher,
    ) -> None:
        self._addresses = addresses
        self._queues = [tasks_queue(queue) for queue in queues]
        self._wanted = self._queues
        self._slots = slots
        self._look_ahead = look_ahead
        self._claims = claims
        self._control = control
        self._reporter = reporter
        self._publisher = publisher
        self._holdings = Holdings(slots.count)
        self._channel: Channel | None = None
        self._settling: Settling | None = None
        self._consumers: Consumers | None = None
        self._draining = False
        self._side_tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await keep_connected(self._addresses, self._serve, doing="taking tasks from RabbitMQ")

    def settle(self, confirmed: list[Taken]) -> None:
        """The broker has their outcomes: acks them."""
        tags = []
        for taken in confirmed:
            self._release(taken)
            ours = [delivery.tag for delivery in taken.deliveries if delivery.channel is self._channel]
            if not ours:
                self._holdings.told(taken)
            tags += ours
        self._ack(tags)
        if self._consumers and self._consumers.free > 0:
            self._look_ahead.changed.set()

    def cancel(self, attempts: Collection[Attempt]) -> None:
        """They are never run here; what runs is killed."""
        for taken in self._holdings.cancel(attempts):
            self._slots.cancel(taken)
            self._reporter.cancel(taken)
            if not taken.in_slot:
                self.settle([taken])

    def give_back(self, unfinished: Collection[Taken]) -> None:
        """Another worker, or this one, gets them again; first the web hears of those that it believes to run here."""
        for taken in unfinished:
            self._reporter.forget(taken)
            self._release(taken)
            if not taken.announced:
                self._requeue(taken)
        if announced := [taken for taken in unfinished if taken.announced]:
            self._reporter.returned(announced, self._requeue)

    def give_back_all(self, running: Collection[Taken]) -> None:
        """Those, which no slot will finish, and what has not begun."""
        self._give_back([*running, *self._holdings.unbegun()])

    def serve(self, queues: Collection[str]) -> None:
        """Begins tasks of these alone from now on, as far as they are its own; what runs runs on."""
        names = {tasks_queue(queue) for queue in queues}
        self._wanted = [queue for queue in self._queues if queue in names]
        self._look_ahead.changed.set()

    @property
    def is_resting(self) -> bool:
        """Nothing begins, for there is no queue to serve."""
        asks = self._consumers and self._consumers.queues and not self._slots.unable
        return not (self._wanted or asks)

    async def stop_taking(self) -> None:
        """Takes no more and gives back what no slot has begun."""
        self._draining = True
        for task in self._side_tasks:
            task.cancel()
        if self._consumers:
            # It goes on: one that is left open would bring again and again what is given back.
            stopping = self._aside(self._stop(self._consumers))
            await asyncio.wait([stopping], timeout=CANCEL_SECONDS)
        self._slots.take_back()
        self._give_back(self._holdings.unbegun())

    async def _serve(self, connection: Connection) -> BrokerLost:
        channel = await connection.open_channel()
        self._channel, self._settling = channel, Settling(channel)
        self._presence = Presence(connection)
        self._consumers = Consumers(channel, self._wanted, self._slots.count, self._look_ahead, self._take)
        try:
            await self._control.listen(channel)
            lost = await while_open(
                channel, self._tune(channel), watch(channel, self._consumers, lambda: not self._holdings.full)
            )
        finally:
            self._control.stop_asking()
            self._forget_unbegun()
        if lost.code == NO_SUCH_QUEUE:
            return BrokerLost(f"{' or '.join(self._queues)} is not there yet; the relay makes it")
        return lost

    async def _tune(self, channel: Channel) -> None:
        """Opens consumers, more while tasks are short, fewer when they turn out long."""
        consumers = self._consumers
        while consumers and not self._draining:
            if self._slots.unable:
                await consumers.rest()
                self._set_down(consumers, self._holdings.unbegun)
                await self._slots.able.wait()
            if consumers.queues != frozenset(self._wanted):
                await consumers.turn_to(self._wanted)
                self._set_down(consumers, self._holdings.unbegun)
            if not consumers.queues:
                await self._look_ahead.changed.wait()
                self._look_ahead.changed.clear()
                continue
            full, too_full = self._holdings.full, bool(self._holdings.excess())
            if await consumers.fit(self._look_ahead.wanted(), full=full, too_full=too_full):
                self._set_down(consumers, self._holdings.excess)
            elif self._look_ahead.level and not self._holdings.empty:
                await asyncio.sleep(LOOK_SECONDS)
                if self._slots.relieve():
                    self._look_ahead.stuck()
            else:
                await self._look_ahead.changed.wait()
                self._look_ahead.changed.clear()
        await asyncio.shield(channel.gone)  # it is still needed for acks

    async def _stop(self, consumers: Consumers) -> None:
        with contextlib.suppress(BrokerLost):  # then the broker takes everything back by itself
            await consumers.stop()

    def _set_down(self, consumers: Consumers, which: Callable[[], list[Taken]]) -> None:
        """After its consumers were cancelled: gives back those that have not begun; the others run on."""
        self._slots.take_back()
        self._give_back(which())
        consumers.leave_to_finish(self._holdings.attempts())

    def _take(self, delivery: Delivery) -> None:
        if self._settling is None or delivery.channel is not self._channel:
            return
        self._settling.add(delivery.tag)
        try:
            message = TaskMessage.decode(delivery.body)
        except BadMessage as bad:
            self._aside(self._park(delivery, str(bad)))
            return
        key = (message.task, message.attempt)
        handed_again = AGAIN_HEADER in delivery.headers
        if self._holdings.is_over(key, handed_again=handed_again):
            self._ack([delivery.tag])
            return
        if held := self._holdings.find(key):
            held.deliveries.append(delivery)
            return
        limit = message.timeout_seconds
        taken = Taken(message.task, message.attempt, delivery.body, [delivery], limit, message.kind)
        if self._holdings.empty and self._look_ahead.level:
            self._look_ahead.changed.set()
        self._holdings.add(taken)
        if self._consumers and not delivery.consumer:
            self._consumers.leave_to_finish([key])
        if self._holdings.full and not self._look_ahead.level:
            self._look_ahead.changed.set()
        if self._draining:
            self.give_back([taken])
        elif delivery.redelivered or handed_again:
            self._aside(self._claim(taken))
        else:
            self._slots.add(taken)

    async def _claim(self, taken: Taken) -> None:
        wanted: bool | None = None
        try:
            wanted = await self._claims.may_run(taken.task, taken.attempt, self._presence)
        except BrokerLost:
            pass  # and probably the delivery with it
        except Refused as refused:
            self._release(taken)
            for delivery in taken.deliveries:
                await self._park(delivery, str(refused))
            return
        if self._holdings.find(taken.key) is not taken:
            return  # its connection was lost meanwhile
        if wanted is None:
            self.give_back([taken])
        elif wanted:
            self._slots.add(taken)
        else:
            self.settle([taken])

    async def _park(self, delivery: Delivery, why: str) -> None:
        await park(self._publisher, delivery.body, why=why, source=" ".join(self._queues))
        if delivery.channel is self._channel:
            self._ack([delivery.tag])

    def _ack(self, tags: list[int]) -> None:
        if self._settling and tags:
            self._settling.ack(tags)

    def _release(self, taken: Taken) -> None:
        self._holdings.release(taken)
        if self._consumers:
            self._consumers.settled(taken.key)

    def _requeue(self, taken: Taken) -> None:
        for delivery in taken.deliveries:
            if self._settling and delivery.channel is self._channel:
                self._settling.give_back(delivery.tag)

    def _give_back(self, unbegun: Collection[Taken]) -> None:
        self._slots.drop(unbegun)
        self.give_back(unbegun)

    def _forget_unbegun(self) -> None:
        self._channel = self._settling = self._consumers = None
        self._slots.take_back()
        self._give_back(self._holdings.unbegun())  # which the broker does by itself

    def _aside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._side_tasks.add(task)
        task.add_done_callback(self._side_tasks.discard)
        return task
