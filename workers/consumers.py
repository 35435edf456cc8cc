"""The consumers that one worker has on its channel, by which it says how much it wants to hold at once.

The prefetch of a running consumer cannot be changed, and one for the whole channel is refused on quorum queues. So
there are several: base ones for as many deliveries as there are slots, and one more per level of look-ahead.
"""

from collections.abc import Callable, Collection, Sequence

from workers.broker import Channel, Delivery
from workers.lookahead import LookAhead


class Consumers:
    def __init__(
        self,
        channel: Channel,
        queues: Sequence[str],
        slots: int,
        look_ahead: LookAhead,
        on_delivery: Callable[[Delivery], None],
    ) -> None:
        self._channel = channel
        self._queues = queues
        self._slots = slots
        self._look_ahead = look_ahead
        self._on_delivery = on_delivery
        self._base: list[str] = []
        self._base_prefetch = 0
        self._levels: list[list[str]] = []
        self._orphans: set[int] = (
            set()
        )  # deliveries of cancelled consumers; each occupies a slot, uncounted by the broker
        look_ahead.level = 0

    async def fit(self, level: int) -> bool:
        """Opens what is missing for this level. True: it had to cancel, give back what waits. Raises BrokerLost."""
        if level < len(self._levels):
            await self.cancel_all()
            return True
        free = self._slots - self._base_prefetch - len(self._orphans)
        if free > 0:
            self._base_prefetch += free
            self._base += await self._consume(free)
        while len(self._levels) < level:
            extra = self._look_ahead.extra
            step = extra[len(self._levels) + 1] - extra[len(self._levels)]
            self._levels.append(await self._consume(step))
        self._look_ahead.level = len(self._levels)
        return False

    async def cancel_all(self) -> None:
        """Raises BrokerLost."""
        tags = [*self._base, *(tag for level in self._levels for tag in level)]
        self._base, self._levels, self._base_prefetch, self._look_ahead.level = [], [], 0, 0
        for tag in tags:
            await self._channel.cancel(tag)

    def leave_to_finish(self, open_tags: Collection[int]) -> None:
        """Those run on, though the consumers by which they came are cancelled."""
        self._orphans = set(open_tags)

    def settled(self, tags: Collection[int]) -> bool:
        """Whether there is room for more now."""
        if not self._orphans:
            return False
        self._orphans.difference_update(tags)
        return len(self._orphans) + self._base_prefetch < self._slots

    async def _consume(self, prefetch: int) -> list[str]:
        return [await self._channel.consume(queue, self._on_delivery, prefetch=prefetch) for queue in self._queues]
