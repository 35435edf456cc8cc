"""Has the minutes that are over counted, beside the relay's own work and on a connection of its own."""

from __future__ import annotations

import asyncio

from apps.queues import minutes
from apps.relay.database import Database

LOOK_SECONDS = 5.0
GAP_SECONDS = 0.05  # between two hours after it was away


async def count_minutes() -> None:
    """For ever. Raises one of database.AWAY when that is."""
    database = Database()
    try:
        while True:
            more = await database.run(minutes.remember)
            await asyncio.sleep(GAP_SECONDS if more else LOOK_SECONDS)
    finally:
        await database.close_connection()
