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
from dataclasses import dataclass
from functools import partial
from typing import Any

from pika.exceptions import (
    AMQPError,
    ChannelClosed,
    ConnectionClosed,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)
from pika.spec import Basic

from workers.address import Address, BadAddress, parse_addresses
from workers.buffered import BufferedConnection
from workers.log import get_logger
from workers.topology import (
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
    "BAD",
    "BAD_EXCHANGE",
    "BAD_KEY",
    "CONTROL_EXCHANGE",
    "DEAD",
    "DEAD_EXCHANGE",
    "DEFAULT_QUEUE",
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
    "parse_addresses",
    "retries",
    "tasks_queue",
    "while_open",
]

NO_SUCH_QUEUE = 404
REFUSED_SECONDS = 10.0  # a wrong password or a missing right does not go away by itself
HEALTHY_SECONDS = 10.0

log = get_logger()

_waiting_said: set[str] = set()  # one for the process, which has two connections and says it once


class BrokerLost(Exception):
    """A channel or its connection has ended; `code` is AMQP's reply code, 0 when the line just broke."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message handed over by the broker; `tag` is settled once, on the channel it came by.

    `consumer`: "" when it was asked for by `get`.
    """

    channel: "Channel"
    consumer: str
    tag: int
    redelivered: bool
    headers: dict[str, Any]
    body: bytes


async def connect(addresses: Sequence[Address], on_trouble: Callable[[str], None] | None = None) -> "Connection":
    """A connection to the first address that answers. Tries for ever; says once that it waits and that it is back.

    `on_trouble` is told each time why there is none yet.
    """
    async for attempt in retries():
        address = addresses[attempt % len(addresses)]
        try:
            connection = await _open(address)
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
    serve: Callable[["Connection"], Awaitable[BrokerLost]],
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


async def while_open(channel: "Channel", *work: Coroutine[Any, Any, Any]) -> BrokerLost:
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


class Connection:
    """An open connection. `gone` is done, with the reason, when it has ended for whatever cause."""

    def __init__(
        self, pika_connection: "BufferedConnection", address: Address, gone: "asyncio.Future[BrokerLost]"
    ) -> None:
        self._pika = pika_connection
        self.address = address.shown
        self.gone = gone
        self.blocked = False  # the broker is out of memory or disk and takes no publish
        pika_connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(blocked=True))
        pika_connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(blocked=False))

    async def open_channel(self) -> "Channel":
        """Raises BrokerLost."""
        if self.gone.done():
            raise self.gone.result()
        opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pika.channel(on_open_callback=partial(_resolve, opened))
        return Channel(await _first(opened, self.gone), self)

    @property
    def body_max(self) -> int:
        """The longest piece of a body that one frame may carry."""
        return int(self._pika.params.frame_max) - 8

    def emit(self, frames: bytes) -> None:
        """Ready-made frames, written with whatever else this turn of the loop has to write."""
        self._pika.emit(frames)

    async def close(self, timeout_seconds: float = 1.0) -> None:
        if self._pika.is_open:
            self._pika.close()
        await asyncio.wait([self.gone], timeout=timeout_seconds)
        self.drop("closed here")

    def drop(self, reason: str) -> None:
        """Ends it without asking the other side, which may no longer answer."""
        if not self.gone.done():
            self._pika.abort(reason)

    def _set_blocked(self, *, blocked: bool) -> None:
        self.blocked = blocked
        if blocked:
            log.warning("broker.blocked", text="RabbitMQ is out of memory or disk and takes nothing new; waiting")
        else:
            log.info("broker.unblocked", text="RabbitMQ takes messages again")


class Channel:
    """An open channel. `gone` is done when it, its connection or one of its consumers has ended without our asking."""

    def __init__(self, pika_channel: Any, connection: Connection) -> None:
        self._pika = pika_channel
        self.connection = connection
        self.number: int = pika_channel.channel_number
        self.gone: asyncio.Future[BrokerLost] = asyncio.get_running_loop().create_future()
        pika_channel.add_on_close_callback(lambda _channel, error: _resolve(self.gone, _lost(error)))
        self._got: asyncio.Future[Delivery | None] = asyncio.get_running_loop().create_future()
        pika_channel.add_callback(lambda _frame: _resolve(self._got, None), [Basic.GetEmpty], one_shot=False)
        pika_channel.add_on_cancel_callback(lambda _frame: _resolve(self.gone, BrokerLost("the queue was deleted")))

    @property
    def is_open(self) -> bool:
        return not self.gone.done() and bool(self._pika.is_open)

    async def declare_exchange(self, exchange: str, kind: str = "direct") -> None:
        await self._ask(self._pika.exchange_declare, exchange=exchange, exchange_type=kind, durable=True)

    async def declare_queue(self, queue: str, arguments: dict[str, Any]) -> None:
        """A durable quorum queue."""
        await self._ask(
            self._pika.queue_declare, queue=queue, durable=True, arguments={"x-queue-type": "quorum", **arguments}
        )

    async def declare_seat(self, queue: str) -> None:
        """A queue for this connection alone, gone with it. Raises BrokerLost (405: another connection has it)."""
        await self._ask(self._pika.queue_declare, queue=queue, exclusive=True)

    async def bind(self, queue: str, exchange: str, routing_key: str) -> None:
        await self._ask(self._pika.queue_bind, queue=queue, exchange=exchange, routing_key=routing_key)

    async def look_at(self, queue: str) -> tuple[int, int]:
        """Its ready messages and its consumers. Raises BrokerLost (404: no such queue), which ends the channel."""
        answer = await self._ask(self._pika.queue_declare, queue=queue, passive=True)
        return answer.method.message_count, answer.method.consumer_count

    async def confirm(self, on_answer: Callable[[Any], None]) -> None:
        await self._ask(self._pika.confirm_delivery, ack_nack_callback=on_answer)

    def on_return(self, callback: Callable[[Any, Any, Any, bytes], None]) -> None:
        self._pika.add_on_return_callback(callback)

    async def consume(self, queue: str, on_delivery: Callable[[Delivery], None], *, prefetch: int) -> str:
        """The consumer's tag. The prefetch counts for this consumer alone. Raises BrokerLost (404: no such queue)."""

        def deliver(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            headers = properties.headers or {}
            on_delivery(Delivery(self, method.consumer_tag, method.delivery_tag, method.redelivered, headers, body))

        await self._ask(self._pika.basic_qos, prefetch_count=prefetch)
        answer = await self._ask(self._pika.basic_consume, queue=queue, on_message_callback=deliver)
        return str(answer.method.consumer_tag)

    async def get(self, queue: str) -> Delivery | None:
        """One message if one is ready; one question at a time. Raises BrokerLost (404: no such queue)."""

        def deliver(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            headers = properties.headers or {}
            _resolve(self._got, Delivery(self, "", method.delivery_tag, method.redelivered, headers, body))

        self._got = asyncio.get_running_loop().create_future()
        try:
            self._pika.basic_get(queue, deliver)
        except AMQPError as error:
            raise _lost(error) from None
        got: Delivery | None = await _first(self._got, self.gone)
        return got

    async def cancel(self, consumer: str) -> None:
        """Takes no more. What is still on its way is given back to the broker by pika itself."""
        await self._ask(self._pika.basic_cancel, consumer_tag=consumer)

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        if self.is_open:
            self._pika.basic_ack(tag, multiple=multiple)

    def give_back(self, tag: int) -> None:
        """The broker hands it to a worker again."""
        if self.is_open:
            self._pika.basic_nack(tag, requeue=True)

    async def _ask(self, method: Callable[..., None], **arguments: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            method(callback=partial(_resolve, answer), **arguments)
        except AMQPError as error:
            raise _lost(error) from None
        return await _first(answer, self.gone)


async def _open(address: Address) -> Connection:
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Any] = loop.create_future()
    gone: asyncio.Future[BrokerLost] = loop.create_future()
    BufferedConnection(
        address.parameters,
        on_open_callback=partial(_resolve, opened),
        on_open_error_callback=lambda _connection, error: _resolve(gone, _lost(error)),
        on_close_callback=lambda _connection, error: _resolve(gone, _lost(error)),
        custom_ioloop=loop,
    )
    return Connection(await _first(opened, gone), address, gone)


async def _first(answer: "asyncio.Future[Any]", gone: "asyncio.Future[BrokerLost]") -> Any:
    await asyncio.wait([answer, gone], return_when=asyncio.FIRST_COMPLETED)
    if answer.done():
        return answer.result()
    raise gone.result()


def _resolve(future: "asyncio.Future[Any]", value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _lost(error: BaseException) -> BrokerLost:
    cause = _root(error)
    if isinstance(cause, ConnectionClosed | ChannelClosed):
        return BrokerLost(cause.reply_text, cause.reply_code)
    if isinstance(cause, ProbableAuthenticationError):
        return BrokerLost("it refuses the user name or password", 403)
    if isinstance(cause, ProbableAccessDeniedError):
        return BrokerLost("it refuses this user access to the virtual host", 403)
    if isinstance(cause, OSError):
        return BrokerLost((cause.strerror or str(cause)).lower())
    return BrokerLost(str(cause) or type(cause).__name__)


def _root(error: BaseException) -> BaseException:
    """pika wraps a refused connect in up to four exceptions."""
    inner = getattr(error, "exceptions", None) or [getattr(error, "exception", None), *error.args]
    found = [each for each in inner if isinstance(each, BaseException)]
    return _root(found[-1]) if found else error
