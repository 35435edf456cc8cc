"""Deliveries past pika, by a real broker: whatever there is to deliver arrives as it does by pika itself."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

import pika
import pytest

from tests.fixtures.processes import eventually
from tests.workers.rig import TASKS, Rabbit
from workers import buffered
from workers.broker import TASKS_EXCHANGE, Channel, Delivery, open_connection, parse_addresses
from workers.deliveries import delivery_at

LONGEST_IN_ONE_FRAME = 131_064
BODIES = [b"", b"x", b"\xce" * 300, b"y" * LONGEST_IN_ONE_FRAME, b"z" * (LONGEST_IN_ONE_FRAME + 1), b"last"]
PROPERTIES = [
    pika.BasicProperties(),
    pika.BasicProperties(headers={"x-again": True, "why": "ü"}),
    pika.BasicProperties(content_type="text/plain", delivery_mode=2, message_id="7"),
]
Arrived: TypeAlias = "asyncio.Queue[Delivery]"
Work = Callable[[Channel, Arrived], Coroutine[Any, Any, Any]]


def consume(rabbit: Rabbit, work: Work, *, heartbeat_seconds: int = 20, consumes: bool = True) -> Any:
    """`consumes`: what there is, from the beginning."""

    async def main() -> Any:
        (address,) = parse_addresses(rabbit.broker.url("relay"))
        address.parameters.heartbeat = heartbeat_seconds
        connection = await open_connection(address)
        channel = await connection.open_channel()
        arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        async with asyncio.timeout(60):
            if consumes:
                await channel.consume(TASKS, arrived.put_nowait, prefetch=1000)
            found = await work(channel, arrived)
        await connection.close()
        return found

    return asyncio.run(main())


def publish(rabbit: Rabbit, properties: pika.BasicProperties, bodies: list[bytes]) -> None:
    with rabbit.opened() as channel:
        channel.confirm_delivery()
        for body in bodies:
            channel.basic_publish(TASKS_EXCHANGE, "default", body, properties, mandatory=True)


def by_pika(channel: Channel) -> int:
    """Frames that it has made objects of."""
    return int(channel.connection._pika.frames_received)


@pytest.mark.parametrize("read_bytes", [11, 4_096, buffered.READ_BYTES])
def test_messages_of_every_sort_arrive_unchanged_in_whatever_pieces(
    rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch, read_bytes: int
) -> None:
    monkeypatch.setattr(buffered, "READ_BYTES", read_bytes)
    for properties in PROPERTIES:
        publish(rabbit, properties, BODIES)

    async def work(_: Channel, arrived: Arrived) -> list[tuple[bytes, dict[str, Any], bool]]:
        taken = [await arrived.get() for _ in range(len(BODIES) * len(PROPERTIES))]
        assert [each.tag for each in taken] == list(range(1, len(taken) + 1))
        return [(each.body, each.headers, each.redelivered) for each in taken]

    expected = [(body, properties.headers or {}, False) for properties in PROPERTIES for body in BODIES]
    assert consume(rabbit, work) == expected
    again = consume(rabbit, work)
    assert [body for body, _, _ in again] == [body for body, _, _ in expected]
    assert all(redelivered for _, _, redelivered in again)


def test_nearly_all_go_past_pika_which_knows_all_the_same_that_the_broker_lives(rabbit: Rabbit) -> None:
    async def work(channel: Channel, arrived: Arrived) -> None:
        pika_connection = channel.connection._pika
        received = pika_connection.bytes_received
        frames = by_pika(channel)
        await asyncio.to_thread(rabbit.put_bodies, TASKS, *[b"%d" % number for number in range(500)])
        assert [(await arrived.get()).body for _ in range(500)] == [b"%d" % number for number in range(500)]
        assert by_pika(channel) - frames < 300  # of 1,500
        assert pika_connection.bytes_received - received > 500 * 100

    consume(rabbit, work)


def test_what_still_comes_for_a_consumer_that_is_cancelled_goes_back(rabbit: Rabbit) -> None:
    rabbit.put_bodies(TASKS, *[b"%d" % number for number in range(500)])

    async def work(channel: Channel, _: Arrived) -> None:
        taken: list[Delivery] = []
        consumer = await channel.consume(TASKS, taken.append, prefetch=200)
        await channel.cancel(consumer)
        await asyncio.to_thread(eventually, lambda: rabbit.count(TASKS) == 500 - len(taken))

    consume(rabbit, work, consumes=False)


def test_heartbeats_come_between_them(rabbit: Rabbit) -> None:
    async def work(channel: Channel, arrived: Arrived) -> None:
        checker = channel.connection._pika._heartbeat_checker
        for body in (b"before", b"after"):
            rabbit.put_bodies(TASKS, body)
            assert (await arrived.get()).body == body
            while checker._heartbeat_frames_received < 1:
                await asyncio.sleep(0.1)

    consume(rabbit, work, heartbeat_seconds=1)


def test_a_connection_that_breaks_in_the_middle_of_a_delivery_has_delivered_only_the_whole_ones(rabbit: Rabbit) -> None:
    body = b"b" * 1_000
    rabbit.put_bodies(TASKS, *[body] * 100)

    async def work(broken_after: int) -> list[Delivery]:
        taken: list[Delivery] = []
        async with cut_off(rabbit.broker.port, broken_after) as port:
            (address,) = parse_addresses(rabbit.broker.url("relay"))
            address.parameters.port = port
            connection = await open_connection(address)
            channel = await connection.open_channel()
            with contextlib.suppress(Exception):
                await channel.consume(TASKS, taken.append, prefetch=100)
            await channel.gone
            await connection.close()
        return taken

    taken = asyncio.run(work(20_000))
    assert 0 < len(taken) < 20
    assert all(each.body == body for each in taken)
    assert len(consume(rabbit, partial(_all, count=100))) == 100


async def _all(_: Channel, arrived: Arrived, count: int) -> list[Delivery]:
    return [await arrived.get() for _ in range(count)]


@contextlib.asynccontextmanager
async def cut_off(target: int, after_bytes: int) -> Any:
    """A port that leads to the target, until so much has come from there."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_there, to_there = await asyncio.open_connection("127.0.0.1", target)
        upwards = asyncio.create_task(_carry(reader, to_there))
        left = after_bytes
        while left and (data := await from_there.read(left)):
            writer.write(data)
            left -= len(data)
        for each in (writer, to_there):
            each.close()
        await upwards

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)


def test_every_beginning_of_a_delivery_is_none(rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one whose frames are of another channel, or do not end where they say."""
    heard = bytearray()

    async def work(channel: Channel, arrived: Arrived) -> None:
        received = channel.connection._pika._on_data_available

        def hear(data: bytes) -> None:
            heard.extend(data)
            received(data)

        monkeypatch.setattr(channel.connection._pika, "_on_data_available", hear)
        rabbit.put_bodies(TASKS, b"body")
        await arrived.get()

    consume(rabbit, work)
    at = heard.index(b"\0\x3c\0\x3c") - 7
    whole = delivery_at(bytes(heard), at)
    assert whole
    assert whole.body == b"body"
    data = bytes(heard[at : whole.end])
    assert all(delivery_at(data[:length], 0) is None for length in range(len(data)))
    header_at = data.index(b"\xce\x02\0\x01") + 1
    body_at = data.index(b"\xce\x03\0\x01") + 1
    for wrong in (0, header_at, header_at + 2, body_at, body_at + 2, body_at + 6, len(data) - 1):
        damaged = bytes([*data[:wrong], data[wrong] + 8 & 0xFF, *data[wrong + 1 :]])
        assert delivery_at(damaged, 0) is None
