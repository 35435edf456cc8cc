"""Has the notes of what changed forgotten once nobody is promised them, beside the relay's own work."""

from __future__ import annotations

import asyncio

from apps.relay.database import Database
from apps.tasks import changes

LOOK_SECONDS = 60.0
GAP_SECONDS = 0.1  # between two pieces: others want to write as well


async def forget_changes() -> None:
    """For ever. Raises one of database.AWAY when that is."""
    database = Database()
    try:
        while True:
            more = await database.run(changes.forget)
            await asyncio.sleep(GAP_SECONDS if more else LOOK_SECONDS)
    finally:
        await database.close_connection()
