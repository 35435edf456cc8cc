"""Has the sweeps that people have begun done, beside the relay's own work and on a connection of its own.

When there are none it lets go of what is too old in the audit log, and has it tell how often something was refused.
"""

from __future__ import annotations

import asyncio
import time

from apps.audit import refusals, retention
from apps.relay.database import Database
from apps.relay.seat import rest
from apps.tasks import sweeps

LOOK_SECONDS = 1.0
FORGET_SECONDS = 60.0
GAP_SECONDS = 0.02  # between two pieces: others want to write as well


async def sweep(news: asyncio.Event) -> None:
    """For ever. `news`: set when anything in the database has changed. Raises one of database.AWAY when that is."""
    database, forget_at = Database(), 0.0
    try:
        while True:
            news.clear()
            more = await database.run(sweeps.advance)
            if not more and time.monotonic() >= forget_at:
                more = await database.run(refusals.settle) or await database.run(retention.forget)
                forget_at = 0.0 if more else time.monotonic() + FORGET_SECONDS
            if more:
                await asyncio.sleep(GAP_SECONDS)
            else:
                await rest(news, LOOK_SECONDS, FORGET_SECONDS)
    finally:
        await database.close_connection()
