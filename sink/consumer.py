"""Brings events home: what arrives while a mutation is on its way goes into the next one; acks after the answer."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

from sink.batch import Arrived, take_batch
from sink.client import INVALID, Client
from workers.broker import (
    NO_SUCH_QUEUE,
    OUTCOMES,
    Address,
    BrokerLost,
    Channel,
    Connection,
    Delivery,
    keep_connected,
    retries,
    while_open,
)
from workers.endpoint import EndpointError, NotAllowed, Refused, Stumbled
from workers.log import get_logger
from workers.messages import BadMessage
from workers.pace import Pace
from workers.parking import park
from workers.publisher import Publisher
from workers.settling import Settling

PREFETCH = 200
GAP_SECONDS = 0.04
SIGN_OF_LIFE_SECONDS = 5.0
NOT_ALLOWED_SECONDS = 10.0
WATCH_SECONDS = 30.0
STUMBLES = 3  # of the web over the same batch, before the message at which it stumbles is looked for
ASIDE_SECONDS = 30.0

log = get_logger()


class Consumer:
    def __init__(self, addresses: Sequence[Address], client: Client, publisher: Publisher) -> None:
        self._addresses = addresses
        self._client = client
        self._publisher = publisher
        self._pace = Pace(GAP_SECONDS)
        self._arrived: deque[Arrived] = deque()
        self._wanted = asyncio.Event()
        self._parking: set[asyncio.Task[None]] = set()
        self._settling: Settling | None = None
        self._recording: asyncio.Task[None] | None = None
        self._stopping = False
        self._trouble_said = ""

    async def run(self) -> None:
        await keep_connected(self._addresses, self._serve, doing="taking outcomes from RabbitMQ")

    async def finish(self) -> None:
        """Begins no further mutation; returns when the one on its way is answered and acked, or has failed."""
        self._stopping = True
        if self._recording:
            await asyncio.wait([self._recording])

    async def _serve(self, connection: Connection) -> BrokerLost:
        channel = await connection.open_channel()
        self._settling = settling = Settling(channel)
        self._arrived.clear()  # what came by a lost connection comes again
        try:
            await channel.consume(OUTCOMES, lambda delivery: self._take(settling, delivery), prefetch=PREFETCH)
        except BrokerLost as lost:
            if lost.code == NO_SUCH_QUEUE:
                return BrokerLost(f"{OUTCOMES} is not there yet; the relay makes it", NO_SUCH_QUEUE)
            raise
        self._wanted.set()  # the first sign of life at once
        return await while_open(channel, self._work(channel, settling), _watch(channel))

    def _take(self, settling: Settling, delivery: Delivery) -> None:
        settling.add(delivery.tag)
        try:
            arrived = Arrived.check(delivery)
        except BadMessage as bad:
            parking = asyncio.create_task(self._park(settling, delivery, str(bad)))
            self._parking.add(parking)
            parking.add_done_callback(self._parking.discard)
            return
        self._arrived.append(arrived)
        self._wanted.set()

    async def _work(self, channel: Channel, settling: Settling) -> None:
        """One mutation after the other; an empty one now and then when there is nothing to tell."""
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
                    await self._wanted.wait()
            await self._pace.turn()
            batch = take_batch(self._arrived)
            if not self._arrived:
                self._wanted.clear()
            self._recording = asyncio.create_task(self._record(settling, batch))
            await asyncio.shield(self._recording)
        await asyncio.shield(channel.gone)  # it is still needed for acks

    async def _record(self, settling: Settling, batch: list[Arrived]) -> None:
        """Acks the batch once it is answered; what the web cannot take is singled out of it."""
        try:
            verdicts = await self._verdicts(batch)
        except (Refused, Stumbled) as error:
            await self._single_out(settling, batch, error)
            return
        if verdicts is not None:
            self._say("")
            await self._park_invalid(batch, verdicts)
            settling.ack([each.delivery.tag for each in batch])

    async def _verdicts(self, batch: list[Arrived]) -> list[str] | None:
        """Sends the same until it is answered; None: the sink stops before. Raises Refused, Stumbled."""
        bodies = [each.delivery.body for each in batch]
        count = sum(len(each.events) for each in batch)
        stumbles = 0
        async for _ in retries(0.1, 10.0):
            try:
                return await asyncio.to_thread(self._client.record, bodies, count)
            except Refused:
                raise
            except EndpointError as error:
                self._say(str(error))
                if self._stopping or not batch:
                    return None
                stumbles += isinstance(error, Stumbled)
                if stumbles == STUMBLES:
                    raise
                if isinstance(error, NotAllowed):
                    await asyncio.sleep(NOT_ALLOWED_SECONDS)
        raise AssertionError("retries() never ends")

    async def _single_out(self, settling: Settling, batch: list[Arrived], error: EndpointError) -> None:
        """Halves the batch down to the message at fault: outcomes of others must not wait for it."""
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._record(settling, batch[:middle])
            await self._record(settling, batch[middle:])
        elif isinstance(error, Refused):
            for each in batch:
                await self._park(settling, each.delivery, str(error))
        else:
            # The web's fault and perhaps soon mended: kept in RabbitMQ, and sent again now and then.
            log.warning("outcome.set_aside", text="a message is set aside and sent again later: {reason}", reason=error)
            for each in batch:
                asyncio.get_running_loop().call_later(ASIDE_SECONDS, self._again, settling, each)

    def _again(self, settling: Settling, arrived: Arrived) -> None:
        if settling is self._settling:  # else it has come again, by another connection and with another tag
            self._arrived.append(arrived)
            self._wanted.set()

    async def _park_invalid(self, batch: list[Arrived], verdicts: list[str]) -> None:
        if INVALID not in verdicts:
            return
        first = 0
        for each in batch:
            own = verdicts[first : first + len(each.events)]
            first += len(each.events)
            refused = [event for event, verdict in zip(each.events, own, strict=True) if verdict == INVALID]
            if refused:
                why = f"{len(refused)} of {len(own)} events are invalid"
                await park(self._publisher, each.only(refused), why=why, source=OUTCOMES)

    async def _park(self, settling: Settling, delivery: Delivery, why: str) -> None:
        await park(self._publisher, delivery.body, why=why, source=OUTCOMES)
        settling.ack([delivery.tag])

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._trouble_said:
            log.warning("web.waiting", text="outcomes wait in RabbitMQ: {reason}", reason=trouble)
        if not trouble and self._trouble_said:
            log.info("web.back", text="the web records outcomes again")
        self._trouble_said = trouble


async def _watch(channel: Channel) -> None:
    """A deleted queue may go unnoticed while nothing happens; asking finds out."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await channel.look_at(OUTCOMES)
