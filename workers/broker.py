"""PUBLIC. Connections and channels to RabbitMQ as awaitables on the process's one event loop, and the topology.

    addresses = parse_addresses(os.environ["RABBITMQ_URL"])   # raises BadAddress
    connection = await connect(addresses)                     # for ever, says once that it waits
    channel = await connection.open_channel()
    await declare_topology(channel)                           # the relay alone
    tag = await channel.consume(OUTCOMES, on_delivery, prefetch=200)
    lost = await channel.gone                                 # why it ended: closed, cancelled, connection lost

No method may be called from another thread.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any

from workers.address import Address, BadAddress, parse_addresses
from workers.channel import Channel, Delivery
from workers.connection import Connection, open_connection
from workers.log import get_logger
from workers.lost import BrokerLost
from workers.topology import (
    ARTIFACTS,
    ARTIFACTS_EXCHANGE,
    ARTIFACTS_KEY,
    BAD,
    BAD_EXCHANGE,
    BAD_KEY,
    CONTROL_EXCHANGE,
    DEAD,
    DEAD_EXCHANGE,
    DEFAULT_QUEUE,
    OUTCOMES,
    OUTCOMES_EXCHANGE,
    OUTCOMES_KEY,
    TASKS_EXCHANGE,
    control_queue,
    declare_queue_of_tasks,
    declare_topology,
    tasks_queue,
)

__all__ = [
    "ACCESS_REFUSED",
    "ARTIFACTS",
    "ARTIFACTS_EXCHANGE",
    "ARTIFACTS_KEY",
    "BAD",
    "BAD_EXCHANGE",
    "BAD_KEY",
    "CONTROL_EXCHANGE",
    "DEAD",
    "DEAD_EXCHANGE",
    "DEFAULT_QUEUE",
    "LOCKED",
    "NO_SUCH_QUEUE",
    "OUTCOMES",
    "OUTCOMES_EXCHANGE",
    "OUTCOMES_KEY",
    "TASKS_EXCHANGE",
    "Address",
    "BadAddress",
    "BrokerLost",
    "Channel",
    "Connection",
    "Delivery",
    "connect",
    "control_queue",
    "declare_queue_of_tasks",
    "declare_topology",
    "keep_connected",
    "open_connection",
    "parse_addresses",
    "retries",
    "tasks_queue",
    "while_open",
]

ACCESS_REFUSED = 403
NO_SUCH_QUEUE = 404
LOCKED = 405  # another connection has it to itself
REFUSED_SECONDS = 10.0  # a wrong password or a missing right does not go away by itself
HEALTHY_SECONDS = 10.0

log = get_logger()

_waiting_said: set[str] = set()  # one for the process, which has two connections and says it once


async def connect(addresses: Sequence[Address], on_trouble: Callable[[str], None] | None = None) -> Connection:
    """A connection to the first address that answers. Tries for ever; says once that it waits and that it is back.

    `on_trouble` is told each time why there is none yet.
    """
    async for attempt in retries():
        address = addresses[attempt % len(addresses)]
        try:
            connection = await open_connection(address)
        except BrokerLost as lost:
            if on_trouble:
                on_trouble(str(lost))
            if str(lost) not in _waiting_said:
                _waiting_said.add(str(lost))
                log.warning(
                    "broker.waiting",
                    text="waiting for RabbitMQ at {address}: {reason}",
                    address=address.shown,
                    reason=lost,
                )
            if lost.code and (attempt + 1) % len(addresses) == 0:
                await asyncio.sleep(REFUSED_SECONDS)
        else:
            if _waiting_said:
                _waiting_said.clear()
                log.info("broker.back", text="RabbitMQ at {address} is there", address=address.shown)
            return connection
    raise AssertionError("retries() never ends")


async def keep_connected(
    addresses: Sequence[Address],
    serve: Callable[[Connection], Awaitable[BrokerLost]],
    *,
    doing: str,
    on_trouble: Callable[[str], None] | None = None,
) -> None:
    """Connects and serves, again and again, until cancelled. `serve` returns or raises why it ended; said once."""
    said = ""
    while True:
        async for _ in retries():
            connection = await connect(addresses, on_trouble)
            connected_at = time.monotonic()
            try:
                lost = await serve(connection)
            except BrokerLost as error:
                lost = error
            finally:
                await connection.close()
            if on_trouble:
                on_trouble(str(lost))
            if str(lost) != said:
                said = str(lost)
                log.warning("broker.lost", text="{doing} stopped: {reason}", doing=doing, reason=lost)
            if time.monotonic() - connected_at > HEALTHY_SECONDS:
                said = ""
                break  # the next pause is a short one again


async def while_open(channel: Channel, *work: Coroutine[Any, Any, Any]) -> BrokerLost:
    """Lets the work run until the channel has ended; why it ended. Raises what the work raises."""
    tasks = [asyncio.create_task(each) for each in work]
    ends: list[asyncio.Future[Any]] = [*tasks, channel.gone]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    lost = next((each for each in ended if isinstance(each, BrokerLost)), BrokerLost("its work ended"))
    for each in ended:
        if isinstance(each, Exception) and not isinstance(each, BrokerLost):
            raise each
    return channel.gone.result() if channel.gone.done() else lost


async def retries(first_seconds: float = 0.2, longest_seconds: float = 2.0) -> AsyncIterator[int]:
    """0, 1, 2, ... for ever with a growing pause; jittered, so that many processes do not come back in step."""
    pause, attempt = first_seconds, 0
    while True:
        yield attempt
        attempt += 1
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
        pause = min(longest_seconds, pause * 2)
