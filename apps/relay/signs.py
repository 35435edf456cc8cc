"""The relay's signs of life, with what troubles it: every few seconds, and at once when something changes."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from apps.queues import health

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.relay.database import Database

LOOK_SECONDS = 0.25
BEAT_SECONDS = 4.0


async def give_signs(database: Database, troubles: Callable[[], dict[str, str]]) -> None:
    """For ever. `troubles`: a sentence per name of a Pulse, empty when all is well."""
    while True:
        said = troubles()
        await database.run(partial(health.beat_all, said))
        for _ in range(int(BEAT_SECONDS / LOOK_SECONDS)):
            await asyncio.sleep(LOOK_SECONDS)
            if troubles() != said:
                break
