"""Finds out that the broker has forgotten a consumer without a word: asks while nothing else would show it.

It may be gone, or be there and get nothing: when a queue is deleted and made anew at once, RabbitMQ takes a consumer of
the old one for one of the new, and loses what it hands to it.
"""

import asyncio
from collections.abc import Callable

from workers.broker import BrokerLost, Channel
from workers.consumers import Consumers

WATCH_SECONDS = 5.0


async def watch(channel: Channel, consumers: Consumers, has_room: Callable[[], bool]) -> None:
    """Until it finds one. `has_room`: whether what is ready would be handed over at once. Raises BrokerLost."""
    suspect = None
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        found = await _forgotten(channel, consumers, has_room)
        if found and found == suspect:  # once may be chance
            raise BrokerLost(f"RabbitMQ no longer knows of the consumer on {found[0]}")
        suspect = found


async def _forgotten(
    channel: Channel, consumers: Consumers, has_room: Callable[[], bool]
) -> tuple[str, tuple[str, ...], int] | None:
    """A queue whose consumer seems to be: with its consumers, and how much they have brought."""
    for queue in consumers.queues:
        seen = queue, consumers.opened, consumers.brought[queue]
        ready, known = await channel.look_at(queue)
        is_silent = bool(ready) and has_room()
        if (is_silent or not known) and seen == (queue, consumers.opened, consumers.brought[queue]) and seen[1]:
            return seen
    return None
