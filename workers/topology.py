"""What there is in RabbitMQ: exchanges, queues and bindings. Only the relay declares them; import it from broker.py."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.broker import Channel

TASKS_EXCHANGE = "millrace.tasks"  # routing key: the queue's name
OUTCOMES_EXCHANGE = "millrace.outcomes"
DEAD_EXCHANGE = "millrace.dead"
BAD_EXCHANGE = "millrace.bad"
CONTROL_EXCHANGE = "millrace.ctl"  # a fanout to the queue that each worker has to itself
OUTCOMES = "millrace.outcomes"
OUTCOMES_KEY = "outcomes"
ARTIFACTS_EXCHANGE = "millrace.artifacts"
ARTIFACTS = "millrace.artifacts"
ARTIFACTS_KEY = "artifacts"
DEAD = "millrace.dead"
BAD = "millrace.bad"
BAD_KEY = "bad"
DEFAULT_QUEUE = "default"
TASK_DELIVERIES = 100
# An outcome comes again each time a sink restarts while the web is away: that is nothing to drop it for. "Unlimited"
# has no word that RabbitMQ 3 and 4 share.
OUTCOME_DELIVERIES = 1_000_000
ARTIFACTS_BYTES = 268_435_456  # that wait for the web at most; then handlers that make more wait as well


def tasks_queue(queue: str) -> str:
    """The broker's name of a queue of tasks."""
    return f"{TASKS_EXCHANGE}.{queue}"


def control_queue(worker: str) -> str:
    """The broker's name of a worker's own queue, which is there exactly as long as the worker is connected."""
    return f"{CONTROL_EXCHANGE}.{re.sub('[^a-z0-9]+', '-', worker.lower())}"[:255]


async def declare_topology(channel: "Channel") -> None:
    """What all share; may be called again. Raises BrokerLost (406: declared otherwise by somebody)."""
    for exchange in (TASKS_EXCHANGE, OUTCOMES_EXCHANGE, ARTIFACTS_EXCHANGE, DEAD_EXCHANGE, BAD_EXCHANGE):
        await channel.declare_exchange(exchange)
    await channel.declare_exchange(CONTROL_EXCHANGE, kind="fanout")
    await channel.declare_queue(BAD, {})
    await channel.bind(BAD, BAD_EXCHANGE, BAD_KEY)
    await channel.declare_queue(DEAD, {})
    await channel.declare_queue(OUTCOMES, _dead_lettered(BAD_EXCHANGE, BAD_KEY, OUTCOME_DELIVERIES))
    await channel.bind(OUTCOMES, OUTCOMES_EXCHANGE, OUTCOMES_KEY)
    bounded = {**_dead_lettered(BAD_EXCHANGE, BAD_KEY, OUTCOME_DELIVERIES), "x-max-length-bytes": ARTIFACTS_BYTES}
    await channel.declare_queue(ARTIFACTS, bounded)
    await channel.bind(ARTIFACTS, ARTIFACTS_EXCHANGE, ARTIFACTS_KEY)


async def declare_queue_of_tasks(channel: "Channel", queue: str) -> None:
    """One queue; may be called again. Raises BrokerLost (406: declared otherwise by somebody)."""
    await channel.declare_queue(tasks_queue(queue), _dead_lettered(DEAD_EXCHANGE, queue, TASK_DELIVERIES))
    await channel.bind(tasks_queue(queue), TASKS_EXCHANGE, queue)
    await channel.bind(DEAD, DEAD_EXCHANGE, queue)


def _dead_lettered(exchange: str, key: str, deliveries: int) -> dict[str, Any]:
    return {
        "x-delivery-limit": deliveries,
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": key,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",  # at-least-once dead-lettering asks for it
    }
