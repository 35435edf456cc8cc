"""Has the sweeps that people have begun done, beside the relay's own work and on a connection of its own."""

from __future__ import annotations

import asyncio

from apps.relay.database import Database
from apps.tasks import sweeps

LOOK_SECONDS = 1.0
GAP_SECONDS = 0.02  # between two pieces: others want to write as well


async def sweep() -> None:
    """For ever. Raises one of database.AWAY when that is."""
    database = Database()
    try:
        while True:
            more = await database.run(sweeps.advance)
            await asyncio.sleep(GAP_SECONDS if more else LOOK_SECONDS)
    finally:
        await database.close_connection()
