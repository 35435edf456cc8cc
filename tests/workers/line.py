"""One connection to the broker that all tests use: to open one costs both sides more than twenty questions by it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pika
from pika.exceptions import AMQPConnectionError

from tests.fixtures.broker import Broker

Ask = Callable[[Any], Any]


class Line:
    """With the relay's login. Made anew after the broker was away."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._connection: Any = None
        self._channels: dict[bool, Any] = {}  # by whether it confirms

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """A channel of its own."""
        channel = self._again(self._new_channel)
        try:
            yield channel
        finally:
            if channel.is_open:
                channel.close()

    def ask(self, question: Ask, *, confirms: bool = False) -> Any:
        """What it returns of a channel; asked again when that turns out to be of a broker that was restarted.

        Raises AMQPConnectionError: it is away. Raises AMQPChannelError: it says no.
        """
        return self._again(lambda: question(self._channel(confirms)))

    def _again(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except AMQPConnectionError:
            self._connection = None
            return work()

    def _channel(self, confirms: bool) -> Any:
        if not (self._connection and (found := self._channels.get(confirms)) and found.is_open):
            found = self._channels[confirms] = self._new_channel()
            if confirms:
                found.confirm_delivery()
        return found

    def _new_channel(self) -> Any:
        if self._connection is None or not self._connection.is_open:
            url = f"{self._broker.url('relay')}?heartbeat=0"  # nobody would answer between two tests
            self._connection = pika.BlockingConnection(pika.URLParameters(url))
            self._channels.clear()
        return self._connection.channel()


line = cache(Line)
