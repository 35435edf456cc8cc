"""A channel of a connection to RabbitMQ: its methods as awaitables, its deliveries as data."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pika.exceptions import AMQPError
from pika.spec import Basic

from workers.deliveries import Whole
from workers.lost import BrokerLost, first, resolve, why_lost

if TYPE_CHECKING:
    from workers.connection import Connection


class Delivery(NamedTuple):
    """One message handed over by the broker; `tag` is settled once, on the channel it came by.

    `consumer`: "" when it was asked for by `get`.
    """

    channel: "Channel"
    consumer: str
    tag: int
    redelivered: bool
    headers: dict[str, Any]
    body: bytes


class Channel:
    """An open channel. `gone` is done when it, its connection or one of its consumers has ended without our asking."""

    def __init__(self, pika_channel: Any, connection: "Connection") -> None:
        self._pika = pika_channel
        self.connection = connection
        self.number: int = pika_channel.channel_number
        self.gone: asyncio.Future[BrokerLost] = asyncio.get_running_loop().create_future()
        pika_channel.add_on_close_callback(lambda _channel, error: resolve(self.gone, why_lost(error)))
        self._got: asyncio.Future[Delivery | None] = asyncio.get_running_loop().create_future()
        pika_channel.add_callback(lambda _frame: resolve(self._got, None), [Basic.GetEmpty], one_shot=False)
        pika_channel.add_on_cancel_callback(lambda _frame: resolve(self.gone, BrokerLost("the queue was deleted")))

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

    async def consume(
        self, queue: str, on_delivery: Callable[[Delivery], None], *, prefetch: int, settled: bool = False
    ) -> str:
        """The consumer's tag. The prefetch counts for this consumer alone. Raises BrokerLost (404: no such queue).

        `settled`: the deliveries need no ack.
        """

        def take(whole: Whole) -> None:
            on_delivery(Delivery(self, whole.consumer, whole.tag, whole.redelivered, whole.headers, whole.body))

        def deliver(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            headers = properties.headers or {}
            on_delivery(Delivery(self, method.consumer_tag, method.delivery_tag, method.redelivered, headers, body))

        await self._ask(self._pika.basic_qos, prefetch_count=prefetch)
        answer = await self._ask(self._pika.basic_consume, queue=queue, on_message_callback=deliver, auto_ack=settled)
        consumer = str(answer.method.consumer_tag)
        self.connection.hand(self.number, consumer, take)
        return consumer

    async def get(self, queue: str) -> Delivery | None:
        """One message if one is ready; one question at a time. Raises BrokerLost (404: no such queue)."""

        def deliver(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            headers = properties.headers or {}
            resolve(self._got, Delivery(self, "", method.delivery_tag, method.redelivered, headers, body))

        self._got = asyncio.get_running_loop().create_future()
        try:
            self._pika.basic_get(queue, deliver)
        except AMQPError as error:
            raise why_lost(error) from None
        got: Delivery | None = await first(self._got, self.gone)
        return got

    async def cancel(self, consumer: str) -> None:
        """Takes no more. What is still on its way is given back to the broker by pika itself."""
        self.connection.leave(self.number, consumer)
        await self._ask(self._pika.basic_cancel, consumer_tag=consumer)

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        if self.is_open:
            self._pika.basic_ack(tag, multiple=multiple)

    def give_back(self, tag: int) -> None:
        """The broker hands it to a worker again."""
        if self.is_open:
            self._pika.basic_nack(tag, requeue=True)

    async def close(self) -> None:
        if self.is_open:
            self._pika.close()
        await self.gone

    async def _ask(self, method: Callable[..., None], **arguments: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            method(callback=partial(resolve, answer), **arguments)
        except AMQPError as error:
            raise why_lost(error) from None
        return await first(answer, self.gone)
