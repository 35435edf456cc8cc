"""What the relay keeps declared in RabbitMQ: its seat, what all share, and each queue by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from apps.relay.aside import Aside
from workers.broker import BrokerLost, declare_queue_of_tasks, declare_topology
from workers.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workers.broker import Connection

log = get_logger()

SEAT = "millrace.relay"
LOCKED = 405
AGAIN_SECONDS = 10.0
TWO_AT_WORK = "another Millrace is, or was seconds ago, at work on this virtual host of RabbitMQ; give each its own"


class Declared:
    """`queues` are usable; those in `unusable` are not, for the reason beside each, and hold up no other."""

    def __init__(self) -> None:
        self.queues: set[str] = set()
        self.unusable: dict[str, str] = {}
        self._aside = Aside()
        self._tried_at = 0.0

    def lacks(self, queues: set[str]) -> bool:
        """Whether to declare: some of these are new, or were unusable when they were last tried, a while ago."""
        known = self.queues | self.unusable.keys()
        return bool(queues - known or (self.unusable and time.monotonic() - self._tried_at > AGAIN_SECONDS))

    async def begin(self, broker: Connection, queues: set[str]) -> None:
        """On a fresh connection. Raises BrokerLost, also when another Millrace has the seat: both would lose tasks."""
        self._aside.begin(broker)
        try:
            async with self._aside.alone():
                await (await self._aside.channel()).declare_seat(SEAT)
        except BrokerLost as lost:
            raise BrokerLost(TWO_AT_WORK, lost.code) if lost.code == LOCKED else lost from None
        await self.declare(queues)

    async def declare(self, queues: Iterable[str]) -> None:
        """Everything, again: somebody may have deleted any of it. Raises BrokerLost."""
        async with self._aside.alone():
            if self._aside.connection is None:
                return
            self._tried_at = time.monotonic()
            await declare_topology(await self._aside.channel())
            for queue in sorted(queues):
                await self._declare_queue(queue)

    async def _declare_queue(self, queue: str) -> None:
        try:
            await declare_queue_of_tasks(await self._aside.channel(), queue)
        except BrokerLost as lost:
            connection = self._aside.connection
            if not lost.code or (connection and connection.gone.done()):
                raise
            self._leave_out(queue, str(lost))
        else:
            self.queues.add(queue)
            if self.unusable.pop(queue, None):
                log.info("queue.usable", text="the queue {queue} can be used again", queue=queue)

    def _leave_out(self, queue: str, reason: str) -> None:
        self.queues.discard(queue)
        if self.unusable.get(queue) != reason:
            log.error("queue.unusable", text="the queue {queue} cannot be used: {reason}", queue=queue, reason=reason)
        self.unusable[queue] = reason
