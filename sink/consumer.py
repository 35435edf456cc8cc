"""Brings events home: what arrives while a mutation is on its way goes into the next one; acks after the answer."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from sink.batch import Arrived, take_batch
from sink.client import Client
from sink.recorder import Recorder
from workers.broker import (
    DEAD,
    NO_SUCH_QUEUE,
    OUTCOMES,
    Address,
    BrokerLost,
    Channel,
    Connection,
    Delivery,
    keep_connected,
    while_open,
)
from workers.messages import BadMessage
from workers.pace import Pace
from workers.parking import park
from workers.publisher import Publisher
from workers.settling import Settling

PREFETCH = 200  # of each of the two queues
GAP_SECONDS = 0.04
GAP_OF_SEVERAL_SECONDS = 0.1
SIGN_OF_LIFE_SECONDS = 5.0
WATCH_SECONDS = 15.0
ANSWER_SECONDS = 10.0
READ: dict[str, Callable[[Delivery], Arrived]] = {OUTCOMES: Arrived.outcomes, DEAD: Arrived.dead_letter}


class Consumer:
    def __init__(self, addresses: Sequence[Address], client: Client, publisher: Publisher) -> None:
        self._addresses = addresses
        self._client = client
        self._publisher = publisher
        self._pace = Pace(GAP_SECONDS, GAP_OF_SEVERAL_SECONDS)
        self._arrived: deque[Arrived] = deque()
        self._wanted = asyncio.Event()
        self._parking: set[asyncio.Task[None]] = set()
        self._settling: Settling | None = None
        self._recorder: Recorder | None = None
        self._recording: asyncio.Task[None] | None = None
        self._stopping = False

    async def run(self) -> None:
        await keep_connected(self._addresses, self._serve, doing="taking outcomes from RabbitMQ")

    async def finish(self) -> None:
        """Begins no further mutation; returns when the one on its way is answered and acked, or has failed."""
        self._stopping = True
        if self._recorder:
            self._recorder.stop()
        if self._recording:
            await asyncio.wait([self._recording])

    async def _serve(self, connection: Connection) -> BrokerLost:
        channel = await connection.open_channel()
        if self._recording:
            # Else it might be answered after what has come again, and follows it: a start after its end.
            await asyncio.wait([self._recording])
        self._settling = settling = Settling(channel)
        self._arrived.clear()  # what came by a lost connection comes again
        for queue in READ:
            try:
                await channel.consume(queue, partial(self._take, settling, queue), prefetch=PREFETCH)
            except BrokerLost as lost:
                if lost.code == NO_SUCH_QUEUE:
                    return BrokerLost(f"{queue} is not there yet; the relay makes it", NO_SUCH_QUEUE)
                raise
        self._wanted.set()  # the first sign of life at once
        self._recorder = recorder = Recorder(self._client, self._publisher, settling, partial(self._again, settling))
        try:
            return await while_open(channel, self._work(channel, recorder), _watch(channel))
        finally:
            recorder.stop()

    def _take(self, settling: Settling, queue: str, delivery: Delivery) -> None:
        settling.add(delivery.tag)
        try:
            arrived = READ[queue](delivery)
        except BadMessage as bad:
            parking = asyncio.create_task(self._park(settling, queue, delivery, str(bad)))
            self._parking.add(parking)
            parking.add_done_callback(self._parking.discard)
            return
        self._arrived.append(arrived)
        self._wanted.set()

    async def _park(self, settling: Settling, queue: str, delivery: Delivery, why: str) -> None:
        await park(self._publisher, delivery.body, why=why, source=queue)
        settling.ack([delivery.tag])

    async def _work(self, channel: Channel, recorder: Recorder) -> None:
        """One mutation after the other; an empty one now and then when there is nothing to tell."""
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
                    await self._wanted.wait()
            await self._pace.turn()
            batch = take_batch(self._arrived)
            self._pace.carried(sum(len(arrived.events) for arrived in batch))
            if not self._arrived:
                self._wanted.clear()
            self._recording = asyncio.create_task(recorder.record(batch))
            await asyncio.shield(self._recording)
        await asyncio.shield(channel.gone)  # it is still needed for acks

    def _again(self, settling: Settling, arrived: Arrived) -> None:
        if settling is self._settling:  # else it has come again, by another connection and with another tag
            self._arrived.append(arrived)
            self._wanted.set()


async def _watch(channel: Channel) -> None:
    """A deleted queue, or a broker that hangs, may go unnoticed while nothing happens; asking finds out."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                for queue in READ:
                    await channel.look_at(queue)
        except TimeoutError:
            raise BrokerLost(f"no answer within {ANSWER_SECONDS:.0f} s") from None
