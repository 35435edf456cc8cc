"""Hears which attempts are cancelled: now by a queue of this worker's own, from before by asking the web once."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from workers.broker import (
    ACCESS_REFUSED,
    CONTROL_EXCHANGE,
    LOCKED,
    NO_SUCH_QUEUE,
    BrokerLost,
    Channel,
    Delivery,
    control_queue,
    retries,
)
from workers.endpoint import Endpoint, EndpointError
from workers.log import get_logger
from workers.memory import Attempt
from workers.messages import BadMessage, Cancellation

DOCUMENT = """query cancelledAttempts {
  cancelledAttempts { task attempt }
}"""
ANSWER_SECONDS = 10.0
RARELY_SECONDS = 5.0
REFUSALS = {
    LOCKED: "RabbitMQ believes that the connection before this one is still alive",
    ACCESS_REFUSED: (
        f"its user lacks rights for its own queue: to configure, write and read {CONTROL_EXCHANGE}.*, "
        f"and to read {CONTROL_EXCHANGE}"
    ),
    NO_SUCH_QUEUE: f"{CONTROL_EXCHANGE} is not there yet; the relay makes it",
}

log = get_logger()


class Control:
    def __init__(self, endpoint: Endpoint, worker: str, on_cancelled: Callable[[list[Attempt]], None]) -> None:
        self._endpoint = endpoint
        self._queue = control_queue(worker)
        self._on_cancelled = on_cancelled
        self._asking: asyncio.Task[None] | None = None

    async def listen(self, channel: Channel) -> None:
        """Until the channel ends. Returns when the web has told what was cancelled before, or does not answer soon.

        The queue is also the sign that the worker is connected. Raises BrokerLost.
        """
        try:
            await channel.declare_seat(self._queue)
            await channel.bind(self._queue, CONTROL_EXCHANGE, "")
        except BrokerLost as lost:
            raise BrokerLost(REFUSALS.get(lost.code, str(lost))) from None
        await channel.consume(self._queue, self._hear, prefetch=0, settled=True)
        self.stop_asking()
        self._asking = asyncio.create_task(self._ask())
        ends: list[asyncio.Future[Any]] = [self._asking, channel.gone]
        await asyncio.wait(ends, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)

    def stop_asking(self) -> None:
        if self._asking:
            self._asking.cancel()
            self._asking = None

    def _hear(self, delivery: Delivery) -> None:
        try:
            self._on_cancelled(Cancellation.decode(delivery.body).attempts)
        except BadMessage as bad:
            log.warning("control.bad", text="what {queue} brought is ignored: {why}", queue=self._queue, why=bad)

    async def _ask(self) -> None:
        said = ""
        async for _ in retries(longest_seconds=RARELY_SECONDS):
            try:
                data = await self._endpoint.ask(json.dumps({"query": DOCUMENT}).encode())
                attempts = [(int(each["task"]), int(each["attempt"])) for each in data["cancelledAttempts"]]
            except EndpointError as error:
                reason = str(error)
            except (LookupError, TypeError, ValueError):
                reason = "the web answered cancelledAttempts with no list of attempts"
            else:
                self._on_cancelled(attempts)
                return
            if reason != said:
                said = reason
                log.warning("control.waiting", text="cannot ask which tasks are cancelled: {reason}", reason=reason)
