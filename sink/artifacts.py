"""Brings chunks of artifacts home, one after the other, each by a request of its own; acks after the answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from workers.artifacts import CHUNK_HEADER, Chunk
from workers.broker import (
    ARTIFACTS,
    NO_SUCH_QUEUE,
    Address,
    BrokerLost,
    Channel,
    Connection,
    Delivery,
    keep_connected,
    retries,
    while_open,
)
from workers.endpoint import Endpoint, EndpointError, NotAllowed, Refused, Stumbled
from workers.log import get_logger
from workers.messages import BadMessage
from workers.parking import park
from workers.publisher import Publisher
from workers.settling import Settling

PATH = "/artifacts/chunks/"
PREFETCH = 8  # chunks of 256 KiB
WATCH_SECONDS = 15.0
ANSWER_SECONDS = 10.0
NOT_ALLOWED_SECONDS = 10.0
STUMBLES = 3  # of the web over the same chunk, before others have their turn
ASIDE_SECONDS = 30.0

log = get_logger()


@dataclass(frozen=True, slots=True)
class _Arrived:
    """`chunk`: what its header says, as it is."""

    delivery: Delivery
    chunk: str


class Artifacts:
    """Has a connection of its own, so that outcomes never wait behind artifacts."""

    def __init__(self, addresses: Sequence[Address], endpoint: Endpoint, publisher: Publisher) -> None:
        self._addresses = addresses
        self._endpoint = endpoint
        self._publisher = publisher
        self._sending: asyncio.Task[None] | None = None
        self._stopping = False
        self._trouble_said = ""

    async def run(self) -> None:
        await keep_connected(self._addresses, self._serve, doing="taking artifacts from RabbitMQ")

    async def finish(self) -> None:
        """Sends no further chunk; returns when the one on its way is answered and acked, or has failed."""
        self._stopping = True
        if self._sending:
            await asyncio.wait([self._sending])

    async def _serve(self, connection: Connection) -> BrokerLost:
        channel = await connection.open_channel()
        settling, arrived = Settling(channel), asyncio.Queue[_Arrived]()

        def take(delivery: Delivery) -> None:
            settling.add(delivery.tag)
            arrived.put_nowait(_Arrived(delivery, str(delivery.headers.get(CHUNK_HEADER, ""))))

        try:
            await channel.consume(ARTIFACTS, take, prefetch=PREFETCH)
        except BrokerLost as lost:
            if lost.code == NO_SUCH_QUEUE:
                return BrokerLost(f"{ARTIFACTS} is not there yet; the relay makes it", NO_SUCH_QUEUE)
            raise
        return await while_open(channel, self._work(channel, settling, arrived), _watch(channel))

    async def _work(self, channel: Channel, settling: Settling, arrived: "asyncio.Queue[_Arrived]") -> None:
        while not self._stopping:
            each = await arrived.get()
            self._sending = asyncio.create_task(self._bring(settling, arrived, each))
            await asyncio.shield(self._sending)
        await asyncio.shield(channel.gone)  # it is still needed for acks

    async def _bring(self, settling: Settling, arrived: "asyncio.Queue[_Arrived]", each: _Arrived) -> None:
        try:
            Chunk.decode(each.chunk)
            is_home = await self._send(each)
        except (BadMessage, Refused) as error:
            await park(self._publisher, each.delivery.body, why=str(error), source=ARTIFACTS)
            is_home = True
        except Stumbled as error:
            # The web's fault and perhaps soon mended: kept in RabbitMQ, and sent again now and then.
            log.warning("artifact.set_aside", text="a chunk is set aside and sent again later: {reason}", reason=error)
            asyncio.get_running_loop().call_later(ASIDE_SECONDS, arrived.put_nowait, each)
            return
        if is_home:
            settling.ack([each.delivery.tag])

    async def _send(self, each: _Arrived) -> bool:
        """Sends the same until it is answered; False: the sink stops before. Raises Refused, Stumbled."""
        stumbles = 0
        async for _ in retries(0.1, 10.0):
            try:
                await self._endpoint.ask(each.delivery.body, {CHUNK_HEADER: each.chunk})
            except Refused:
                raise
            except EndpointError as error:
                self._say(str(error))
                if self._stopping:
                    return False
                stumbles += isinstance(error, Stumbled)
                if stumbles == STUMBLES:
                    raise
                if isinstance(error, NotAllowed):
                    await asyncio.sleep(NOT_ALLOWED_SECONDS)
            else:
                self._say("")
                return True
        raise AssertionError("retries() never ends")

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._trouble_said:
            log.warning("web.waiting", text="artifacts wait in RabbitMQ: {reason}", reason=trouble)
        if not trouble and self._trouble_said:
            log.info("web.back", text="the web takes artifacts again")
        self._trouble_said = trouble


async def _watch(channel: Channel) -> None:
    """A deleted queue, or a broker that hangs, may go unnoticed while nothing happens; asking finds out."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await channel.look_at(ARTIFACTS)
        except TimeoutError:
            raise BrokerLost(f"no answer within {ANSWER_SECONDS:.0f} s") from None
