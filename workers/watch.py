"""Finds out that the broker has forgotten a consumer without a word: asks while nothing else would show it."""

import asyncio

from workers.broker import BrokerLost, Channel
from workers.consumers import Consumers

WATCH_SECONDS = 5.0


async def watch(channel: Channel, consumers: Consumers) -> None:
    """Until it finds one. Raises BrokerLost."""
    suspect = ""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        missed = ""
        for queue in consumers.queues:
            expected = consumers.opened
            _, found = await channel.look_at(queue)
            if expected and expected == consumers.opened and not found:
                missed = queue
        if missed and missed == suspect:
            raise BrokerLost(f"RabbitMQ no longer knows of the consumer on {missed}")
        suspect = missed
