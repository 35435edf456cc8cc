"""Which workers are connected, by the broker's word: each has a queue to itself exactly as long as it is."""

import asyncio

from workers.broker import LOCKED, NO_SUCH_QUEUE, BrokerLost, Connection, control_queue

LOOK_SECONDS = 0.5
AWAY_SECONDS = 1.0  # how long a worker takes at most to come back after it has lost its connection
AWAY_AFTER_OURS_SECONDS = 5.0  # the same, when the broker may have been away for everybody
OURS_IS_YOUNG_SECONDS = 10.0


class Presence:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._connected_at = _now()

    async def is_gone(self, worker: str) -> bool:
        """Whether it is not connected and does not come back within moments. Raises BrokerLost."""
        began = _now()
        young = began - self._connected_at < OURS_IS_YOUNG_SECONDS
        patience_seconds = AWAY_AFTER_OURS_SECONDS if young else AWAY_SECONDS
        while not await self._is_connected(worker):
            if _now() - began >= patience_seconds:
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _is_connected(self, worker: str) -> bool:
        channel = await self._connection.open_channel()  # of its own: either refusal ends it
        try:
            await channel.look_at(control_queue(worker))
        except BrokerLost as lost:
            if lost.code == LOCKED:
                return True
            if lost.code == NO_SUCH_QUEUE:
                return False
            raise
        await channel.close()
        return True  # our own


def _now() -> float:
    return asyncio.get_running_loop().time()
