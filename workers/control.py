"""Hears what is cancelled or paused: now by a queue of this worker's own, from before by asking the web once."""

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
from workers.messages import BadMessage, Cancellation, Orders, decode_control

DOCUMENT = """query orders {
  cancelledAttempts { task attempt }
  pausedQueues
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
    """`on_cancelled`: these attempts as well; `on_paused`: these queues and no others; `on_orders`: the relay's."""

    def __init__(
        self,
        endpoint: Endpoint,
        worker: str,
        *,
        on_cancelled: Callable[[list[Attempt]], None],
        on_paused: Callable[[list[str]], None],
        on_orders: Callable[[Orders], None],
    ) -> None:
        self._endpoint = endpoint
        self._queue = control_queue(worker)
        self._on_cancelled = on_cancelled
        self._on_paused = on_paused
        self._on_orders = on_orders
        self._asking: asyncio.Task[None] | None = None
        self._has_orders = False

    async def listen(self, channel: Channel) -> None:
        """Until the channel ends. Returns when the web has told what was said before, or does not answer soon.

        The queue is also the sign that the worker is connected. Raises BrokerLost.
        """
        try:
            await channel.declare_seat(self._queue)
            await channel.bind(self._queue, CONTROL_EXCHANGE, "")
        except BrokerLost as lost:
            raise BrokerLost(REFUSALS.get(lost.code, str(lost))) from None
        await channel.consume(self._queue, self._hear, prefetch=0, settled=True)
        self.stop_asking()
        self._has_orders = False
        self._asking = asyncio.create_task(self._ask())
        ends: list[asyncio.Future[Any]] = [self._asking, channel.gone]
        await asyncio.wait(ends, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)

    def stop_asking(self) -> None:
        if self._asking:
            self._asking.cancel()
            self._asking = None

    def _hear(self, delivery: Delivery) -> None:
        try:
            told = decode_control(delivery.body)
        except BadMessage as bad:
            log.warning("control.bad", text="what {queue} brought is ignored: {why}", queue=self._queue, why=bad)
            return
        if isinstance(told, Cancellation):
            self._on_cancelled(told.attempts)
        else:
            self._has_orders = True
            self._on_orders(told)

    async def _ask(self) -> None:
        said = ""
        async for _ in retries(longest_seconds=RARELY_SECONDS):
            try:
                data = await self._endpoint.ask(json.dumps({"query": DOCUMENT}).encode())
                attempts = [(int(each["task"]), int(each["attempt"])) for each in data["cancelledAttempts"]]
                paused = [str(queue) for queue in data["pausedQueues"]]
            except EndpointError as error:
                reason = str(error)
            except (LookupError, TypeError, ValueError):
                reason = "the web answered cancelledAttempts or pausedQueues with no list of them"
            else:
                self._on_cancelled(attempts)
                if not self._has_orders:  # which may be newer than this answer; if they are older, others follow
                    self._on_paused(paused)
                return
            if reason != said:
                said = reason
                log.warning("control.waiting", text="cannot ask what is cancelled or paused: {reason}", reason=reason)
