"""The relay's one thread for the database: a slow answer never holds up a heartbeat to the broker."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from django.db import DatabaseError, InterfaceError, connection

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

AWAY = (DatabaseError, InterfaceError)


class Database:
    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def run(self, work: Callable[[], T]) -> T:
        """Raises one of AWAY when the database is."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close_connection(self) -> None:
        """The next work opens another."""
        await self.run(_close)


def _close() -> None:
    """Of the thread that calls it: Django's connections belong to threads."""
    connection.close()
