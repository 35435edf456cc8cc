"""Records batches through the web: each message is in the end recorded, parked, or set aside and sent again later."""

import asyncio
from collections.abc import Callable, Iterable

from sink.batch import Arrived
from sink.client import INVALID, Client
from workers.broker import retries
from workers.endpoint import EndpointError, NotAllowed, Refused, Stumbled
from workers.log import get_logger
from workers.parking import park
from workers.publisher import Publisher
from workers.settling import Settling

NOT_ALLOWED_SECONDS = 10.0
STUMBLES = 3  # of the web over the same batch, before the message at which it stumbles is looked for
ASIDE_SECONDS = 30.0

log = get_logger()


class Recorder:
    """Of what comes by one channel. `again` is called for a message that was set aside, when its time has come.

    After `stop` nothing is sent again.
    """

    def __init__(
        self, client: Client, publisher: Publisher, settling: Settling, again: Callable[[Arrived], None]
    ) -> None:
        self._client = client
        self._publisher = publisher
        self._settling = settling
        self._again = again
        self._aside: set[int] = set()  # by their tags
        self._stopping = False
        self._trouble_said = ""

    def stop(self) -> None:
        self._stopping = True

    async def record(self, batch: list[Arrived]) -> None:
        """Acks the batch once it is answered; what the web cannot take is singled out of it."""
        batch = self._without_vain_canaries(batch)
        try:
            verdicts = await self._verdicts(batch)
        except (Refused, Stumbled) as error:
            await self._single_out(batch, error)
            return
        if verdicts is not None:
            self._say("")
            await self._park_invalid(batch, verdicts)
            self._ack(batch)

    def _without_vain_canaries(self, batch: list[Arrived]) -> list[Arrived]:
        """While something is set aside, a canary would wrongly say that all before it is recorded."""
        vain = [each for each in batch if each.is_canary and self._aside]
        self._ack(vain)
        return [each for each in batch if each not in vain]

    async def _verdicts(self, batch: list[Arrived]) -> list[str] | None:
        """Sends the same until it is answered; None: the sink stops before. Raises Refused, Stumbled."""
        bodies = [each.body for each in batch]
        count = sum(len(each.events) for each in batch)
        stumbles = 0
        async for _ in retries(0.1, 10.0):
            if self._stopping:
                return None
            try:
                return await self._client.record(bodies, count)
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

    async def _single_out(self, batch: list[Arrived], error: EndpointError) -> None:
        """Halves the batch down to the message at fault: outcomes of others must not wait for it."""
        if len(batch) > 1:
            middle = len(batch) // 2
            await self.record(batch[:middle])
            await self.record(batch[middle:])
        elif isinstance(error, Refused):
            for each in batch:
                await park(self._publisher, each.delivery.body, why=str(error), source=each.source)
            self._ack(batch)
        else:
            # The web's fault and perhaps soon mended: kept in RabbitMQ, and sent again now and then.
            log.warning("outcome.set_aside", text="a message is set aside and sent again later: {reason}", reason=error)
            for each in batch:
                self._aside.add(each.delivery.tag)
                asyncio.get_running_loop().call_later(ASIDE_SECONDS, self._again, each)

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
                await park(self._publisher, each.only(refused), why=why, source=each.source)

    def _ack(self, done: Iterable[Arrived]) -> None:
        tags = {each.delivery.tag for each in done}
        self._aside -= tags
        self._settling.ack(tags)

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._trouble_said:
            log.warning("web.waiting", text="outcomes wait in RabbitMQ: {reason}", reason=trouble)
        if not trouble and self._trouble_said:
            log.info("web.back", text="the web records outcomes again")
        self._trouble_said = trouble
