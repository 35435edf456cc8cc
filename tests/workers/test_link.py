"""The link between worker and child: bodies of every size, and what is unread can be taken back."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from workers.link import MOST_BYTES, REST_SECONDS, Link, fits_one_packet, pair, receive, send

SIZES = [0, 1, 65_536, 65_537, 131_072, 1_048_576]
Work = Callable[[Link, socket.socket, "asyncio.Queue[bytes]"], Coroutine[Any, Any, None]]


def with_link(work: Work) -> None:
    async def main() -> None:
        ours, theirs = pair()
        arrived: asyncio.Queue[bytes] = asyncio.Queue()

        def on_bodies(bodies: list[bytes]) -> None:
            for body in bodies:
                arrived.put_nowait(body)

        link = Link(ours, theirs.dup(), on_bodies)
        async with asyncio.timeout(20):
            await work(link, theirs, arrived)
        link.close()
        theirs.close()

    asyncio.run(main())


def test_bodies_of_every_size_arrive_whole_and_in_order_both_ways() -> None:
    bodies = [bytes([number]) * size for number, size in enumerate(SIZES)]

    def echo(theirs: socket.socket) -> None:
        for body, _ in zip(receive(theirs), bodies, strict=False):
            send(theirs, body)

    async def work(link: Link, theirs: socket.socket, arrived: "asyncio.Queue[bytes]") -> None:
        echoing = asyncio.create_task(asyncio.to_thread(echo, theirs))
        for body in bodies:
            link.post(body)
        assert [await arrived.get() for _ in bodies] == bodies
        link.post(b"the last one that zip asks for")
        await echoing

    with_link(work)


def test_what_the_child_has_not_read_can_be_taken_back() -> None:
    async def work(link: Link, theirs: socket.socket, _: "asyncio.Queue[bytes]") -> None:
        bodies = receive(theirs)
        for number in range(5):
            link.post(b"%d" % number)
        assert [next(bodies), next(bodies)] == [b"0", b"1"]
        assert link.take_back() == [b"2", b"3", b"4"]
        assert link.take_back() == []
        link.post(b"5")
        assert next(bodies) == b"5"

    with_link(work)


def test_what_the_socket_has_no_room_for_can_be_taken_back_too() -> None:
    async def work(link: Link, theirs: socket.socket, _: "asyncio.Queue[bytes]") -> None:
        body = b"x" * 65_536
        assert fits_one_packet(body)
        for _each in range(20):
            link.post(body)
        assert link.take_back() == [body] * 20

    with_link(work)


def test_a_flood_without_an_end_comes_in_bodies_of_bounded_size_and_leaves_the_loop_its_turns() -> None:
    async def work(link: Link, theirs: socket.socket, arrived: "asyncio.Queue[bytes]") -> None:
        flooding = asyncio.create_task(asyncio.to_thread(_flood, theirs))
        bodies = [await arrived.get() for _ in range(3)]
        assert all(MOST_BYTES - 65_536 < len(body) <= MOST_BYTES for body in bodies)
        link.close()
        theirs.shutdown(socket.SHUT_RDWR)
        await flooding

    with_link(work)


def test_who_is_not_heard_waits_and_is_heard_again() -> None:
    async def work(link: Link, theirs: socket.socket, arrived: "asyncio.Queue[bytes]") -> None:
        link.hold()
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                theirs.send(b"\0" + bytes(60_000))
            raise AssertionError("there was room for everything")
        link.look()
        assert arrived.empty()
        link.read()  # for what must be known now
        assert not arrived.empty()
        theirs.send(b"\0one more")
        link.go_on()
        while await arrived.get() != b"one more":
            pass

    with_link(work)


def test_while_it_rests_nothing_wakes_it_and_then_all_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(link: Link, theirs: socket.socket, arrived: "asyncio.Queue[bytes]") -> None:
        link.rest()
        send(theirs, b"early")
        for _ in range(10):
            await asyncio.sleep(0)
        assert arrived.empty()
        link.read()  # for what must be known now
        assert await arrived.get() == b"early"

    async def briefly(link: Link, theirs: socket.socket, arrived: "asyncio.Queue[bytes]") -> None:
        for number in range(3):
            link.rest()
            send(theirs, b"%d" % number)
            assert await arrived.get() == b"%d" % number
        send(theirs, b"awake")
        assert await arrived.get() == b"awake"
        link.rest()
        link.hold()
        send(theirs, b"held")
        await asyncio.sleep(REST_SECONDS * 5)
        assert arrived.empty()
        link.go_on()
        assert await arrived.get() == b"held"

    with_link(briefly)
    monkeypatch.setattr("workers.link.REST_SECONDS", 3_600)
    with_link(never)


def test_an_end_that_is_shut_down_leaves_the_loop_alone() -> None:
    async def work(link: Link, theirs: socket.socket, arrived: "asyncio.Queue[bytes]") -> None:
        send(theirs, b"the last word")
        theirs.shutdown(socket.SHUT_RDWR)
        assert await arrived.get() == b"the last word"
        await asyncio.sleep(0)  # it is readable until somebody looks
        while asyncio.get_running_loop().remove_reader(link._ours):
            asyncio.get_running_loop().add_reader(link._ours, link.read)
            await asyncio.sleep(0)

    with_link(work)


def _flood(theirs: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            theirs.send(b"\1" + bytes(65_536))
