"""The hint that wakes the relay: where it listens, and where it does not."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.queues.models import Queue
from apps.relay import seat, wake
from apps.relay.seat import Seat
from tests.fixtures.statements import Statements

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[Seat], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No relay of another test, nor a way to one. What a server does by itself is no news here."""
    monkeypatch.setattr(seat, "SWEEP_SECONDS", 60)
    settings.VAR = tmp_path
    wake._line.close()
    wake._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wake._line.setblocking(False)


def seated(act: Act) -> Any:
    """What comes of it within the relay's seat."""

    async def hold() -> Any:
        async with seat.taken() as held:
            return await act(held)

    return asyncio.run(hold())


def in_thread(work: Callable[[], Any]) -> Awaitable[Any]:
    def alone() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return asyncio.to_thread(alone)


async def hints(held: Seat) -> int:
    """How many come before none does for a while, looked for one at a time."""
    loop, count = asyncio.get_running_loop(), 0
    while True:
        began = loop.time()
        await held.hinted(0.2)
        if loop.time() - began >= 0.2:
            return count
        count += 1


def test_those_that_come_meanwhile_are_one() -> None:
    async def act(held: Seat) -> int:
        for _ in range(1_000):  # more than the kernel keeps
            await in_thread(wake.relay)
        return await hints(held)

    assert seated(act) == 1


def test_one_that_comes_after_the_wait_begins_ends_it() -> None:
    async def act(held: Seat) -> None:
        waiting = asyncio.create_task(held.hinted(60))
        await in_thread(wake.relay)
        await asyncio.wait_for(waiting, 30)

    seated(act)


def test_the_next_relay_hears_what_the_last_one_would_have() -> None:
    async def act(held: Seat) -> int:
        await in_thread(wake.relay)
        return await hints(held)

    assert [seated(act), seated(act)] == [1, 1]


def test_where_nobody_listens_nothing_fails() -> None:
    wake.relay()
    Path(wake.address()).touch()
    wake.relay()
    assert not wake.is_near()


def test_a_relay_that_is_gone_is_not_near() -> None:
    async def act(held: Seat) -> bool:
        return bool(await in_thread(wake.is_near))

    assert seated(act)
    wake.relay()
    assert not wake.is_near()


def test_what_is_committed_without_a_hint_is_news_to_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat, "SWEEP_SECONDS", 0.1)

    async def is_news(news: asyncio.Event, does: Callable[[], Any], *, within: float) -> bool:
        news.clear()
        await in_thread(does)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await news.wait()
        return news.is_set()

    async def act(held: Seat) -> tuple[bool, bool]:
        news = held.news()
        # A server may have something to do for itself.
        reads = [await is_news(news, Queue.objects.count, within=0.5) for _ in range(5)]
        return all(reads), await is_news(news, lambda: Queue.objects.create(name="gpu"), within=30)

    assert seated(act) == (False, True)


def test_news_is_waited_for_within_bounds() -> None:
    async def took(*, is_set: bool) -> float:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        if is_set:
            news.set()
        began = loop.time()
        await seat.rest(news, 0.1, 60 if is_set else 0.4)
        return loop.time() - began

    assert 0.09 < asyncio.run(took(is_set=True)) < 60
    assert asyncio.run(took(is_set=False)) > 0.39


@pytest.mark.postgresql
def test_a_relay_on_another_host_is_notified(tmp_path: Path, settings: Any) -> None:
    async def act(held: Seat) -> int:
        settings.VAR = tmp_path / "elsewhere"
        await in_thread(wake.relay)
        return await hints(held)

    assert seated(act) == 1


@pytest.mark.postgresql
def test_a_relay_on_this_host_is_not_notified(statements: Statements) -> None:
    async def act(_: Seat) -> None:
        wake.relay()

    with statements() as sent:
        seated(act)
    assert not sent.captured_queries
    with statements() as sent:
        wake.relay()
    assert [each["sql"] for each in sent.captured_queries] == ["NOTIFY millrace_due"]
