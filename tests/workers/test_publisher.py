"""Publishing batches with confirms on a real broker."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.workers.rig import TASKS, Rabbit
from workers.broker import BAD_EXCHANGE, BAD_KEY, TASKS_EXCHANGE, BrokerLost, connect, parse_addresses
from workers.publisher import Message, Publisher, Verdict

Work = Callable[[Publisher], Coroutine[Any, Any, Any]]


def with_publisher(rabbit: Rabbit, work: Work, role: str = "relay", patience_seconds: float = 60) -> Any:
    async def main() -> Any:
        publisher = Publisher(parse_addresses(rabbit.broker.url(role)))
        running = asyncio.create_task(publisher.run())
        async with asyncio.timeout(patience_seconds):
            await publisher.ready()
            try:
                return await work(publisher)
            finally:
                running.cancel()

    return asyncio.run(main())


def message(body: bytes, key: str = "default", **headers: Any) -> Message:
    return Message(exchange=TASKS_EXCHANGE, routing_key=key, body=body, headers=headers or None)


def test_a_batch_is_confirmed_and_arrives_in_order(rabbit: Rabbit) -> None:
    batch = [message(b"%d" % number) for number in range(500)]
    verdicts = with_publisher(rabbit, lambda publisher: publisher.publish(batch))
    assert verdicts == [Verdict.CONFIRMED] * 500
    assert [body for body, _ in rabbit.take(TASKS)] == [each.body for each in batch]


def test_bodies_of_every_size_and_headers_arrive_unchanged(rabbit: Rabbit) -> None:
    bodies = [b"", b"x", b"x" * 131_064, b"x" * 131_065, bytes(range(256)) * 4096]
    batch = [message(body, again=1, why="ü") for body in bodies]
    assert with_publisher(rabbit, lambda p: p.publish(batch)) == [Verdict.CONFIRMED] * len(bodies)
    taken = rabbit.take(TASKS)
    assert [body for body, _ in taken] == bodies
    assert all((headers["again"], headers["why"]) == (1, "ü") for _, headers in taken)


def test_unroutable_messages_are_told_apart(rabbit: Rabbit) -> None:
    batch = [message(b"1"), message(b"2", "no-such-queue"), message(b"3"), message(b"4", "nor-this")]
    good, lost = Verdict.CONFIRMED, Verdict.UNROUTABLE
    assert with_publisher(rabbit, lambda p: p.publish(batch)) == [good, lost, good, lost]


def test_batches_may_overlap(rabbit: Rabbit) -> None:
    async def many(publisher: Publisher) -> list[list[Verdict]]:
        batches = [[message(b"x"), message(b"y", "no-such-queue")] * 50 for _ in range(20)]
        return await asyncio.gather(*[publisher.publish(batch) for batch in batches])

    answers = with_publisher(rabbit, many)
    assert answers == [[Verdict.CONFIRMED, Verdict.UNROUTABLE] * 50] * 20
    assert rabbit.count(TASKS) == 1000


def test_without_a_connection_nothing_is_sent_and_the_answer_comes_at_once(rabbit: Rabbit) -> None:
    async def main() -> list[Verdict]:
        return await Publisher(parse_addresses(rabbit.broker.url("relay"))).publish([message(b"x")])

    assert asyncio.run(main()) == [Verdict.REFUSED]


def test_what_was_not_answered_when_the_connection_broke_is_uncertain(rabbit: Rabbit) -> None:
    async def to_nowhere(publisher: Publisher) -> tuple[list[Verdict], list[Verdict]]:
        broken = await publisher.publish([Message(exchange="millrace.nowhere", routing_key="x", body=b"")])
        await publisher.ready()
        return broken, await publisher.publish([message(b"after")])

    broken, after = with_publisher(rabbit, to_nowhere)
    assert broken == [Verdict.UNCERTAIN]
    assert after == [Verdict.CONFIRMED]


def test_a_login_without_the_right_is_answered_not_crashed(rabbit: Rabbit) -> None:
    async def forbidden(publisher: Publisher) -> list[Verdict]:
        return await publisher.publish([Message(exchange=BAD_EXCHANGE, routing_key=BAD_KEY, body=b"x"), message(b"x")])

    verdicts = with_publisher(rabbit, forbidden, role="sink")
    assert verdicts[1] is Verdict.UNCERTAIN


def test_after_a_no_it_asks_on_a_fresh_connection(rabbit: Rabbit) -> None:
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with rabbit.opened() as channel:
        channel.queue_declare("millrace.tasks.full", durable=True, arguments=full)
        channel.queue_bind("millrace.tasks.full", TASKS_EXCHANGE, "full")

    async def into_a_full_queue(publisher: Publisher) -> tuple[list[Verdict], list[Verdict]]:
        publisher.reconnected.clear()
        verdicts = await publisher.publish([message(b"fits", "full")])
        while Verdict.REFUSED not in verdicts:
            verdicts = await publisher.publish([message(b"too much", "full")])
        await publisher.reconnected.wait()
        return verdicts, await publisher.publish([message(b"after")])

    try:
        no, after = with_publisher(rabbit, into_a_full_queue)
    finally:
        with rabbit.opened() as channel:
            channel.queue_delete("millrace.tasks.full")
    assert (no, after) == ([Verdict.REFUSED], [Verdict.CONFIRMED])


def test_a_connection_that_is_being_closed_is_lost(rabbit: Rabbit) -> None:
    async def main() -> None:
        connection = await connect(parse_addresses(rabbit.broker.url("relay")))
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0)
        with pytest.raises(BrokerLost, match="being closed"):
            await connection.open_channel()
        await closing

    asyncio.run(main())
