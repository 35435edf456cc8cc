"""The relay's seat: one relay at a time holds it, and hears there when tasks may be due.

SQLite: a lock file beside the database. PostgreSQL: an advisory lock and LISTEN, on one connection of its own, so that
losing that connection is losing the seat. Whoever is on the same host tells it by a datagram.

Hints may be lost, and not everybody gives them. So it looks by itself, as cheaply as can be, whether anything has been
committed since: as long as nothing has, the relay need not ask for anything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import sqlite3
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, connection

from apps.relay import wake
from workers.log import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator

    import psycopg

log = get_logger()

ADVISORY_LOCK = 0x6D696C6C  # "mill"
ASK_AGAIN_SECONDS = 1.0
SWEEP_SECONDS = 0.25


class Seat:
    """Held while `lost` is not done. `hints`: a socket on which some come."""

    def __init__(self, hints: socket.socket) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hint = asyncio.Event()
        self._hints = hints
        self._heard_at = 0.0
        self._news: list[asyncio.Event] = []

    def hint(self) -> None:
        self._hint.set()

    def news(self) -> asyncio.Event:
        """Set within SWEEP_SECONDS of whatever is committed from now on; for one to wait for and to clear."""
        news = asyncio.Event()
        self._news.append(news)
        return news

    def changed(self) -> None:
        """Something was committed. Most of it makes nothing due, and what does is hinted: a look can wait so long."""
        for each in self._news:
            each.set()
        loop = asyncio.get_running_loop()
        now = loop.time()
        loop.call_at(max(now, self._heard_at + SWEEP_SECONDS), self._remind, now)

    def _remind(self, changed_at: float) -> None:
        if self._heard_at < changed_at:
            self.hint()

    async def hinted(self, timeout_seconds: float) -> None:
        """Returns at the first hint since the last call, at the latest after the time-out."""
        # Listened to only here: busy, one would be woken by each task for nothing.
        loop = asyncio.get_running_loop()
        loop.add_reader(self._hints, self.hint)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    await self._hint.wait()
        finally:
            loop.remove_reader(self._hints)
        self._hint.clear()
        with contextlib.suppress(BlockingIOError):
            while True:
                self._hints.recv(16)
        self._heard_at = loop.time()


async def rest(news: asyncio.Event, least_seconds: float, most_seconds: float) -> None:
    """Returns at the news of a change, but not before the least has passed, nor after the most."""
    await asyncio.sleep(least_seconds)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(most_seconds - least_seconds):
            await news.wait()


@asynccontextmanager
async def taken() -> AsyncIterator[Seat]:
    """Waits until no other relay has the seat; says once that it waits. Raises DatabaseError: PostgreSQL is away."""
    on_database = _postgresql if connection.vendor == "postgresql" else _sqlite
    async with on_database() as seat:
        yield seat


@asynccontextmanager
async def _sqlite() -> AsyncIterator[Seat]:
    with (Path(settings.VAR) / "relay.lock").open("w") as file:
        await _until(partial(_locked, file.fileno()))
        with _hints() as hints, contextlib.closing(_own_sqlite()) as own:
            seat = Seat(hints)
            async with _beside(_watch_sqlite(own, seat, _version(own))):
                yield seat


def _own_sqlite() -> sqlite3.Connection:
    with connection.wrap_database_errors:
        return sqlite3.connect(connection.get_connection_params()["database"], timeout=0, uri=True)


async def _watch_sqlite(own: sqlite3.Connection, seat: Seat, seen: Any) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        now = _version(own)
        if now is None or now != seen:
            seat.changed()
        seen = now


def _version(own: sqlite3.Connection) -> Any:
    """The same as long as no other connection commits anything; None: it cannot be told. Takes some 10 us."""
    try:
        return own.execute("PRAGMA data_version").fetchall()
    except sqlite3.Error:
        return None


async def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def _postgresql() -> AsyncIterator[Seat]:
    database = {name: value for name, value in connection.get_connection_params().items() if name not in _OF_DJANGO}
    database |= _KEEPALIVES
    database["options"] = f"{database.get('options', '')} {_NOTICE_A_LOST_HOST}"
    import psycopg  # noqa: PLC0415 with SQLite it would be a tenth of a second of each start

    with connection.wrap_database_errors:
        async with await psycopg.AsyncConnection.connect(**database, autocommit=True) as own:
            await _until(partial(_locked_in, own))
            await own.execute(f"LISTEN {wake.CHANNEL}")
            with _hints() as hints:
                seat = Seat(hints)
                own.add_notify_handler(lambda _: seat.hint())
                async with _beside(_listen(own, seat, await _snapshot(own))):
                    yield seat


# The server keeps the lock of a relay whose host has vanished for as long as it believes in the connection: by default
# two hours.
_NOTICE_A_LOST_HOST = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
_KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}  # the other direction
_OF_DJANGO = ("cursor_factory", "context", "prepare_threshold")


async def _locked_in(own: psycopg.AsyncConnection[Any]) -> bool:
    row = await (await own.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])).fetchone()
    return bool(row and row[0])


async def _listen(own: psycopg.AsyncConnection[Any], seat: Seat, seen: Any) -> None:
    try:
        with connection.wrap_database_errors:
            while True:
                await _speaks(own.fileno(), SWEEP_SECONDS)
                now = await _snapshot(own)
                if now != seen:
                    seat.changed()
                seen = now
    except DatabaseError:
        log.warning("relay.seat_lost", text="the connection that holds the relay's lock is lost")
    finally:
        if not seat.lost.done():
            seat.lost.set_result(None)
        seat.hint()


async def _snapshot(own: psycopg.AsyncConnection[Any]) -> Any:
    """The same as long as nobody commits anything: it names the transactions that are visible."""
    return await (await own.execute("SELECT pg_current_snapshot()::text", prepare=True)).fetchone()


async def _speaks(descriptor: int, timeout_seconds: float) -> None:
    """Returns when there is something to read, at the latest then. (psycopg's own waiting wakes every 0.1 s.)"""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, arrived.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await arrived.wait()
    finally:
        loop.remove_reader(descriptor)


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _until(free: Callable[[], Awaitable[bool]]) -> None:
    if await free():
        return
    log.info("relay.stands_by", text="another relay is at work; standing by")
    while not await free():
        await asyncio.sleep(ASK_AGAIN_SECONDS)


@contextlib.contextmanager
def _hints() -> Iterator[socket.socket]:
    """Where nobody can be listened to, nothing comes: a server's relay may do without the var folder."""
    address = Path(wake.address())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hints:
        hints.setblocking(False)
        with contextlib.suppress(OSError):
            address.unlink(missing_ok=True)
            hints.bind(os.fspath(address))
        yield hints
