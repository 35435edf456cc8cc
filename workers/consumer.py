"""Takes deliveries from the queues and settles them: acked once the broker has the outcome, given back unstarted.

Everything runs on the event loop, so nothing here needs a lock. When the connection is lost, what was not begun is
forgotten (the broker hands it out again); what runs goes on, and is joined by its new delivery if that comes here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
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
from workers.endpoint import Refused
from workers.lookahead import LookAhead
from workers.messages import AGAIN_HEADER, BadMessage, TaskMessage
from workers.parking import park
from workers.publisher import Publisher
from workers.settling import Settling
from workers.slots import Slots
from workers.taken import Taken

LOOK_SECONDS = 0.1
WATCH_SECONDS = 30.0
CANCEL_SECONDS = 0.5
REMEMBERED = 5_000
WAITED_SECONDS = 0.1  # what comes within this after there was no room has probably waited for it


class Consumer:
    def __init__(
        self,
        addresses: Sequence[Address],
        queues: Sequence[str],
        *,
        slots: Slots,
        look_ahead: LookAhead,
        claims: Claims,
        publisher: Publisher,
    ) -> None:
        self._addresses = addresses
        self._queues = [tasks_queue(queue) for queue in queues]
        self._slots = slots
        self._look_ahead = look_ahead
        self._claims = claims
        self._publisher = publisher
        self._live: dict[tuple[int, int], Taken] = {}
        self._told: dict[tuple[int, int], None] = {}  # the broker has the outcome, but the delivery could not be acked
        self._channel: Channel | None = None
        self._settling: Settling | None = None
        self._consumers: Consumers | None = None
        self._full_at = 0.0  # when there was last no room for another
        self._draining = False
        self._side_tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await keep_connected(self._addresses, self._serve, doing="taking tasks from RabbitMQ")

    def settle(self, confirmed: list[Taken]) -> None:
        """The broker has their outcomes: acks them."""
        tags = []
        if len(self._live) >= self._slots.count:
            self._full_at = self._now()
        for taken in confirmed:
            self._release(taken)
            ours = [delivery.tag for delivery in taken.deliveries if delivery.channel is self._channel]
            if not ours:
                self._remember(taken)
            tags += ours
        self._ack(tags)
        if self._consumers and self._consumers.free > 0:
            self._look_ahead.changed.set()

    def give_back(self, taken: Taken) -> None:
        """Another worker, or this one, gets it again."""
        self._release(taken)
        for delivery in taken.deliveries:
            if self._settling and delivery.channel is self._channel:
                self._settling.give_back(delivery.tag)

    async def stop_taking(self) -> None:
        """Takes no more and gives back what no slot has begun."""
        self._draining = True
        if self._consumers:
            try:
                async with asyncio.timeout(CANCEL_SECONDS):
                    await self._consumers.stop()
            except (BrokerLost, TimeoutError):
                pass  # then the broker takes everything back by itself
        for task in self._side_tasks:
            task.cancel()
        self._slots.take_back()
        self._give_back(self._unbegun())

    async def _serve(self, connection: Connection) -> BrokerLost:
        channel = await connection.open_channel()
        self._channel, self._settling, self._full_at = channel, Settling(channel), self._now()
        self._consumers = Consumers(channel, self._queues, self._slots.count, self._look_ahead, self._take)
        try:
            lost = await while_open(channel, self._tune(channel), self._watch(channel))
        finally:
            self._forget_unbegun()
        if lost.code == NO_SUCH_QUEUE:
            return BrokerLost(f"{' or '.join(self._queues)} is not there yet; the relay makes it")
        return lost

    async def _tune(self, channel: Channel) -> None:
        """Opens consumers, more while tasks are short, fewer when they turn out long."""
        consumers = self._consumers
        while consumers and not self._draining:
            full = len(self._live) >= self._slots.count
            if await consumers.fit(self._look_ahead.wanted(), full=full, too_full=bool(self._excess())):
                self._slots.take_back()
                self._give_back(self._excess())
                consumers.leave_to_finish(self._live)
            elif self._look_ahead.level:
                await asyncio.sleep(LOOK_SECONDS)
                if self._slots.relieve():
                    self._look_ahead.stuck()
            else:
                await self._look_ahead.changed.wait()
                self._look_ahead.changed.clear()
        await asyncio.shield(channel.gone)  # it is still needed for acks

    async def _watch(self, channel: Channel) -> None:
        """A deleted queue or a closed channel may go unnoticed while nothing happens; asking finds out."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for queue in self._queues:
                await channel.look_at(queue)

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
        if key in self._told:
            self._ack([delivery.tag])
            return
        if key in self._live:
            self._live[key].deliveries.append(delivery)
            return
        taken = Taken(message.task, message.attempt, delivery.body, [delivery], message.timeout_seconds)
        self._live[key] = taken
        if self._consumers and not delivery.consumer:
            self._consumers.leave_to_finish([key])
        if len(self._live) >= self._slots.count and not self._look_ahead.level:
            self._look_ahead.changed.set()
        if self._draining:
            self.give_back(taken)
        elif delivery.redelivered or AGAIN_HEADER in delivery.headers:
            self._aside(self._claim(taken, self._claims.may_run))
        elif self._may_have_waited():
            self._aside(self._claim(taken, self._claims.is_wanted))
        else:
            self._slots.add(taken)

    def _may_have_waited(self) -> bool:
        """In the broker, where a task that is deleted stays. Very short tasks are done sooner than an answer comes."""
        return not self._look_ahead.level and self._now() - self._full_at < WAITED_SECONDS

    async def _claim(self, taken: Taken, may_run: Callable[[int, int], Awaitable[bool]]) -> None:
        try:
            wanted = await may_run(taken.task, taken.attempt)
        except Refused as refused:
            self._release(taken)
            for delivery in taken.deliveries:
                await self._park(delivery, str(refused))
            return
        if self._live.get((taken.task, taken.attempt)) is not taken:
            return  # its connection was lost meanwhile
        if wanted:
            self._slots.add(taken)
        else:
            self.settle([taken])

    async def _park(self, delivery: Delivery, why: str) -> None:
        await park(self._publisher, delivery.body, why=why, source=" ".join(self._queues))
        if delivery.channel is self._channel:
            self._ack([delivery.tag])

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _ack(self, tags: list[int]) -> None:
        if self._settling and tags:
            self._settling.ack(tags)

    def _release(self, taken: Taken) -> None:
        key = (taken.task, taken.attempt)
        self._live.pop(key, None)
        if self._consumers:
            self._consumers.settled(key)

    def _remember(self, taken: Taken) -> None:
        """Its delivery was lost with its connection and comes again, perhaps before the outcome is recorded."""
        self._told[taken.task, taken.attempt] = None
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]

    def _unbegun(self) -> list[Taken]:
        return [taken for taken in self._live.values() if not taken.in_slot]

    def _excess(self) -> list[Taken]:
        """What came last and has no slot, as far as there are more than slots."""
        too_many = max(0, len(self._live) - self._slots.count)
        unbegun = self._unbegun()
        return unbegun[max(0, len(unbegun) - too_many) :]

    def _give_back(self, unbegun: Collection[Taken]) -> None:
        self._slots.drop(unbegun)
        for taken in unbegun:
            self.give_back(taken)

    def _forget_unbegun(self) -> None:
        self._channel = self._settling = self._consumers = None
        self._slots.take_back()
        self._slots.drop(self._unbegun())
        self._live = {key: taken for key, taken in self._live.items() if taken.in_slot}

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._side_tasks.add(task)
        task.add_done_callback(self._side_tasks.discard)
