"""An open connection to one RabbitMQ node."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from pika.exceptions import ConnectionWrongStateError

from workers.address import Address
from workers.buffered import BufferedConnection
from workers.channel import Channel
from workers.deliveries import Whole
from workers.log import get_logger
from workers.lost import BrokerLost, first, resolve, why_lost

log = get_logger()


async def open_connection(address: Address) -> "Connection":
    """Raises BrokerLost."""
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Any] = loop.create_future()
    gone: asyncio.Future[BrokerLost] = loop.create_future()
    BufferedConnection(
        address.parameters,
        on_open_callback=partial(resolve, opened),
        on_open_error_callback=lambda _connection, error: resolve(gone, why_lost(error)),
        on_close_callback=lambda _connection, error: resolve(gone, why_lost(error)),
        custom_ioloop=loop,
    )
    return Connection(await first(opened, gone), address, gone)


class Connection:
    """An open connection. `gone` is done, with the reason, when it has ended for whatever cause."""

    def __init__(
        self, pika_connection: BufferedConnection, address: Address, gone: "asyncio.Future[BrokerLost]"
    ) -> None:
        self._pika = pika_connection
        self.address = address.shown
        self.gone = gone
        self.blocked = False  # the broker is out of memory or disk and takes no publish
        pika_connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(blocked=True))
        pika_connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(blocked=False))

    async def open_channel(self) -> Channel:
        """Raises BrokerLost."""
        if self.gone.done():
            raise self.gone.result()
        opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            self._pika.channel(on_open_callback=partial(resolve, opened))
        except ConnectionWrongStateError:  # one of the two sides has begun to close it
            raise BrokerLost("the connection is being closed") from None
        return Channel(await first(opened, self.gone), self)

    @property
    def body_max(self) -> int:
        """The longest piece of a body that one frame may carry."""
        return int(self._pika.params.frame_max) - 8

    def emit(self, frames: bytes) -> None:
        """Ready-made frames, written with whatever else this turn of the loop has to write."""
        self._pika.emit(frames)

    def hand(self, channel: int, consumer: str, take: Callable[[Whole], None]) -> None:
        """What comes for this consumer, past pika as far as that is possible, until `leave`."""
        self._pika.hand(channel, consumer, take)

    def leave(self, channel: int, consumer: str) -> None:
        self._pika.leave(channel, consumer)

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
