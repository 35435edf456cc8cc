"""The consumers that one worker has on its channel, by which it says how much it wants to hold at once.

The prefetch of a running consumer cannot be changed, and one for the whole channel is refused on quorum queues. So
there are several: base ones for as many deliveries as there are slots, and one more per level of look-ahead.

On several queues the base ones together may bring more than there are slots. So at level 0 they are open only while no
queue has anything ready and a slot is free; else the worker asks each queue in turn for one delivery per free slot.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from workers.broker import Channel, Delivery
from workers.lookahead import LookAhead
from workers.memory import Attempt


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
        self.queues = frozenset(queues)
        self._turns = deque(queues)
        self._slots = slots
        self._look_ahead = look_ahead
        self._on_delivery = on_delivery
        self.brought: Counter[str] = Counter()  # by queue
        self._base: list[str] = []
        self._base_prefetch = 0
        self._levels: list[list[str]] = []
        self._uncounted: set[Attempt] = set()  # each occupies a slot, though no open consumer's prefetch counts it
        self._changing = asyncio.Lock()
        self._stopped = False
        look_ahead.level = 0

    @property
    def free(self) -> int:
        """For so many slots nothing has been asked for."""
        return self._slots - self._base_prefetch - len(self._uncounted)

    @property
    def opened(self) -> tuple[str, ...]:
        """The tags of the base consumers, one on each queue and sometimes more; empty while they come and go."""
        return () if self._changing.locked() else tuple(self._base)

    async def fit(self, level: int, *, full: bool, too_full: bool) -> bool:
        """Asks for what is missing at this level. True: it had to cancel, give back what waits. Raises BrokerLost.

        `full`: as much is held as there are slots; `too_full`: something is held that no slot is free for.
        """
        several = len(self.queues) > 1
        async with self._changing:
            brings_too_much = level == 0 and (too_full or (full and several and bool(self._base)))
            if level < len(self._levels) or brings_too_much:
                await self._cancel_all()
                return True
            if level == 0 and several and not self._base:
                await self._fetch()
            if self.free > 0 and not self._stopped:
                await self._open_base(self.free)
            while len(self._levels) < level and not self._stopped:
                extra = self._look_ahead.extra
                step = extra[len(self._levels) + 1] - extra[len(self._levels)]
                self._levels.append(await self._consume(step))
            self._look_ahead.level = len(self._levels)
        return False

    async def rest(self) -> None:
        """Asks for nothing until `fit` is called again. Raises BrokerLost."""
        async with self._changing:
            await self._cancel_all()

    async def turn_to(self, queues: Collection[str]) -> None:
        """Rests, and asks these and no others when `fit` is called again. Raises BrokerLost."""
        async with self._changing:
            await self._cancel_all()
            self.queues, self._turns = frozenset(queues), deque(queues)

    async def stop(self) -> None:
        """Asks for nothing more. Raises BrokerLost."""
        self._stopped = True
        await self.rest()

    def leave_to_finish(self, attempts: Iterable[Attempt]) -> None:
        """Those run on, though no open consumer brought them."""
        self._uncounted.update(attempts)

    def settled(self, attempt: Attempt) -> None:
        self._uncounted.discard(attempt)

    async def _fetch(self) -> None:
        """Queues take turns, also from one call to the next. What comes is told by `leave_to_finish`."""
        wanted, empty = self.free, 0
        while wanted > 0 and empty < len(self._turns) and not self._stopped:
            delivery = await self._channel.get(self._turns[0])
            self._turns.rotate(-1)
            empty = 0 if delivery else empty + 1
            if delivery:
                wanted -= 1
                self._on_delivery(delivery)

    async def _open_base(self, prefetch: int) -> None:
        self._base_prefetch += prefetch
        self._base += await self._consume(prefetch)

    async def _consume(self, prefetch: int) -> list[str]:
        return [
            await self._channel.consume(queue, partial(self._bring, queue), prefetch=prefetch) for queue in self._turns
        ]

    def _bring(self, queue: str, delivery: Delivery) -> None:
        self.brought[queue] += 1
        self._on_delivery(delivery)

    async def _cancel_all(self) -> None:
        tags = [*self._base, *(tag for level in self._levels for tag in level)]
        self._base, self._levels, self._base_prefetch, self._look_ahead.level = [], [], 0, 0
        for tag in tags:
            await self._channel.cancel(tag)
