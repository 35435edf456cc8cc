"""PUBLIC. Publishes batches and tells for each message whether the broker has it: confirms, all outstanding at once.

    publisher = Publisher(addresses)
    keeping = asyncio.create_task(publisher.run())            # connects, reconnects, for ever; cancel to close
    await publisher.ready()
    verdicts = await publisher.publish([Message(exchange="millrace.tasks", routing_key="default", body=body)])
    confirmed = [row for row, verdict in zip(rows, verdicts) if verdict is Verdict.CONFIRMED]

`publish` never waits for a connection: without one every message is REFUSED at once. Several calls may overlap.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from workers.broker import Address, BrokerLost, Channel, Connection, keep_connected
from workers.frames import publish_frames

CONFIRM_SECONDS = 15.0
PREPARE_SECONDS = 10.0


class Verdict(Enum):
    CONFIRMED = "the broker has it on disk"
    REFUSED = "the broker does not have it (no connection, or it said no); may be published again"
    UNROUTABLE = "the exchange leads it to no queue; the topology is not there (yet)"
    UNCERTAIN = "perhaps: the connection broke, or no answer came in 15 s; publish again, marked x-again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    exchange: str
    routing_key: str
    body: bytes
    headers: dict[str, Any] | None = None


@dataclass(slots=True)
class _Batch:
    """Messages of one call of `publish` that wait for the broker's answer."""

    verdicts: list[Verdict]
    open: int
    answered: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, index: int, verdict: Verdict) -> None:
        if self.verdicts[index] is Verdict.UNCERTAIN:  # a returned message is confirmed as well, after its return
            self.verdicts[index] = verdict
        self.open -= 1
        if not self.open and not self.answered.done():
            self.answered.set_result(None)


class Publisher:
    """One connection that only publishes: under a memory alarm the broker stops reading from it, acks travel elsewhere.

    `prepare(connection)` is awaited after each connect, before the first publish: the relay declares the topology.
    A BrokerLost that it raises is said once and tried again. `reconnected` is set after each connect.
    """

    def __init__(
        self, addresses: Sequence[Address], *, prepare: Callable[[Connection], Awaitable[None]] | None = None
    ) -> None:
        self._addresses = addresses
        self._prepare = prepare
        self._channel: Channel | None = None
        self._up = asyncio.Event()
        self._last_tag = 0
        self._open: dict[int, tuple[_Batch, int]] = {}
        self._trouble = "not connected yet"
        self.reconnected = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._channel is not None and self._channel.is_open

    @property
    def trouble(self) -> str:
        """Why it is not connected; empty when it is."""
        return "" if self.connected else self._trouble

    @property
    def blocked(self) -> bool:
        """Connected, but the broker is out of memory or disk and takes nothing."""
        return self._channel is not None and self._channel.connection.blocked

    async def ready(self) -> None:
        """Returns when there is a connection to publish on."""
        while not self.connected:
            await self._up.wait()
            await asyncio.sleep(0)  # lost, but not yet noticed in `_serve`

    async def run(self) -> None:
        """Keeps the connection up until cancelled; closes it then."""
        await keep_connected(self._addresses, self._serve, doing="publishing to RabbitMQ", on_trouble=self._note)

    async def publish(self, batch: Sequence[Message]) -> list[Verdict]:
        """One verdict per message, in order; takes at most 15 s, longer only while the broker has no room.

        Messages are persistent and mandatory.
        """
        channel = self._channel
        if channel is None or not channel.is_open or channel.connection.blocked or not batch:
            return [Verdict.REFUSED] * len(batch)
        waiting = _Batch([Verdict.UNCERTAIN] * len(batch), len(batch))
        channel.connection.emit(b"".join([self._frames(channel, m, waiting, i) for i, m in enumerate(batch)]))
        ends: list[asyncio.Future[Any]] = [waiting.answered, channel.gone]
        ended, _ = await asyncio.wait(ends, timeout=CONFIRM_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        # Another connection would be blocked as well, and the broker does not even read that this one was closed.
        while not ended and channel.connection.blocked:
            ended, _ = await asyncio.wait(ends, timeout=CONFIRM_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.answered.done():
            # Another node, or a fresh connection to this one, may answer.
            channel.connection.drop(f"no confirm within {CONFIRM_SECONDS:.0f} s")
        elif Verdict.REFUSED in waiting.verdicts:
            # A channel that was opened while a queue of a cluster had no leader may say no for ever.
            channel.connection.drop("it refused a message")
        return waiting.verdicts

    def _note(self, trouble: str) -> None:
        self._trouble = trouble

    async def _serve(self, connection: Connection) -> BrokerLost:
        """One connection's life; why it ended."""
        try:
            async with asyncio.timeout(PREPARE_SECONDS):
                channel = await self._open_channel(connection)
        except TimeoutError:
            return BrokerLost(f"no answer within {PREPARE_SECONDS:.0f} s")
        self._channel, self._last_tag = channel, 0
        self._up.set()
        self.reconnected.set()
        try:
            return await asyncio.shield(channel.gone)
        finally:
            self._up.clear()
            self._channel = None
            self._open.clear()

    async def _open_channel(self, connection: Connection) -> Channel:
        if self._prepare:
            await self._prepare(connection)
        channel = await connection.open_channel()
        channel.on_return(self._on_return)
        await channel.confirm(self._on_answer)
        return channel

    def _frames(self, channel: Channel, message: Message, batch: _Batch, index: int) -> bytes:
        self._last_tag += 1
        self._open[self._last_tag] = batch, index
        return publish_frames(
            channel=channel.number,
            exchange=message.exchange,
            routing_key=message.routing_key,
            body=message.body,
            headers=message.headers,
            tag=self._last_tag,
            body_max=channel.connection.body_max,
        )

    def _on_answer(self, answer: Any) -> None:
        method = answer.method
        verdict = Verdict.CONFIRMED if method.NAME == "Basic.Ack" else Verdict.REFUSED
        if not method.multiple:
            self._settle(method.delivery_tag, verdict)
            return
        for tag in list(itertools.takewhile(lambda tag: tag <= method.delivery_tag, self._open)):
            self._settle(tag, verdict)

    def _settle(self, tag: int, verdict: Verdict) -> None:
        if tag in self._open:
            batch, index = self._open.pop(tag)
            batch.settle(index, verdict)

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        tag = int(properties.message_id)
        if tag in self._open:
            batch, index = self._open[tag]
            batch.verdicts[index] = Verdict.UNROUTABLE
