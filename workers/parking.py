"""PUBLIC. Parks a message that nobody can use where a person finds it: neither lost nor delivered for ever."""

from workers.broker import BAD_EXCHANGE, BAD_KEY, retries
from workers.log import get_logger
from workers.publisher import Message, Publisher, Verdict
from workers.raised import clean

log = get_logger()


async def park(publisher: Publisher, body: bytes, *, why: str, source: str) -> None:
    """Returns when the broker has it in the queue of bad messages; the delivery may be acked then."""
    why = clean(why, 500)
    log.warning("message.bad", text="a message on {source} is parked as bad: {why}", source=source, why=why)
    message = Message(exchange=BAD_EXCHANGE, routing_key=BAD_KEY, body=body, headers={"x-why": why, "x-source": source})
    async for _ in retries():
        await publisher.ready()
        if await publisher.publish([message]) == [Verdict.CONFIRMED]:
            return
