"""What there is in RabbitMQ: exchanges, queues and bindings. Only the relay declares them; import it from broker.py."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.broker import Channel

TASKS_EXCHANGE = "millrace.tasks"  # routing key: the queue's name
OUTCOMES_EXCHANGE = "millrace.outcomes"
DEAD_EXCHANGE = "millrace.dead"
BAD_EXCHANGE = "millrace.bad"
OUTCOMES = "millrace.outcomes"
OUTCOMES_KEY = "outcomes"
DEAD = "millrace.dead"
BAD = "millrace.bad"
BAD_KEY = "bad"
DEFAULT_QUEUE = "default"


def tasks_queue(queue: str) -> str:
    """The broker's name of a queue of tasks."""
    return f"{TASKS_EXCHANGE}.{queue}"


async def declare_topology(channel: "Channel", queues: Iterable[str]) -> None:
    """Exchanges, queues and bindings; may be called again. Raises BrokerLost (406: declared otherwise by somebody)."""
    for exchange in (TASKS_EXCHANGE, OUTCOMES_EXCHANGE, DEAD_EXCHANGE, BAD_EXCHANGE):
        await channel.declare_exchange(exchange)
    await channel.declare_queue(BAD, {})
    await channel.bind(BAD, BAD_EXCHANGE, BAD_KEY)
    await channel.declare_queue(DEAD, {})
    await channel.declare_queue(OUTCOMES, _dead_lettered(BAD_EXCHANGE, BAD_KEY))
    await channel.bind(OUTCOMES, OUTCOMES_EXCHANGE, OUTCOMES_KEY)
    for queue in queues:
        await channel.declare_queue(tasks_queue(queue), _dead_lettered(DEAD_EXCHANGE, queue))
        await channel.bind(tasks_queue(queue), TASKS_EXCHANGE, queue)
        await channel.bind(DEAD, DEAD_EXCHANGE, queue)


def _dead_lettered(exchange: str, key: str) -> dict[str, Any]:
    return {
        "x-delivery-limit": 100,
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": key,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",  # at-least-once dead-lettering asks for it
    }
