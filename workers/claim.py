"""Asks the web whether a delivery that may be a duplicate is still to be run.

Of a first delivery RabbitMQ guarantees that nobody has seen it before; it runs unasked. What the web believes another
worker to run is that worker's as long as it is connected, which the broker knows. That it is gone goes the way of all
events, behind whatever it has said itself: that it gave the task back, or its outcome.
"""

import asyncio
import json
import time
from collections.abc import Callable

from workers.broker import retries
from workers.endpoint import Endpoint, EndpointError, NotAllowed, Refused
from workers.log import get_logger
from workers.messages import Vanished, encode_event
from workers.presence import Presence

DOCUMENT = """mutation claimTask($input: ClaimTaskInput!) {
  claimTask(input: $input) { verdict holder }
}"""
NOT_ALLOWED_SECONDS = 10.0
HELD = "HELD"
HELD_TIMES = 3
HELD_SECONDS = 1.0
RECORDED_SECONDS = 0.05  # after which to ask first whether the web knows that the holder is gone
AGAIN_SECONDS = 10.0  # after which it is said once more: the broker may have lost what it had

log = get_logger()


class Claims:
    """Asks until the web answers; several questions may be open at once. Says once that it waits."""

    def __init__(self, endpoint: Endpoint, worker: str, tell: Callable[[bytes], None]) -> None:
        """`tell`: an encoded event to whoever records them."""
        self._endpoint = endpoint
        self._worker = worker
        self._tell = tell
        self._said = ""

    async def may_run(self, task: int, attempt: int, presence: Presence) -> bool:
        """False as well when another worker runs it. Raises BrokerLost.

        Raises Refused: the web has no answer to this, and will not have one.
        """
        held_times, gone, said_at, pause = 0, "", 0.0, HELD_SECONDS
        while True:
            verdict, holder = await self._answer(task, attempt)
            if verdict != HELD:
                return verdict == "RUN"
            if holder == gone and time.monotonic() < said_at + AGAIN_SECONDS:
                pause = min(2 * pause, HELD_SECONDS)
            elif await presence.is_gone(holder):
                self._tell(encode_event(Vanished(task=task, attempt=attempt, holder=holder)))
                gone, said_at, pause = holder, time.monotonic(), RECORDED_SECONDS
            elif holder != gone:  # of one that has come back it may yet be recorded that it was gone
                held_times, pause = held_times + 1, HELD_SECONDS
                if held_times == HELD_TIMES:
                    return False
            await asyncio.sleep(pause)

    async def _answer(self, task: int, attempt: int) -> tuple[str, str]:
        async for _ in retries():
            try:
                answer = await self._ask(task, attempt)
            except Refused:
                raise
            except EndpointError as error:
                self._say(str(error))
                if isinstance(error, NotAllowed):
                    await asyncio.sleep(NOT_ALLOWED_SECONDS)
            else:
                self._said = ""
                return answer
        raise AssertionError("retries() never ends")

    async def _ask(self, task: int, attempt: int) -> tuple[str, str]:
        """(verdict, who runs it)."""
        given = {"task": task, "attempt": attempt, "worker": self._worker}
        body = json.dumps({"query": DOCUMENT, "variables": {"input": given}}).encode()
        data = await self._endpoint.ask(body)
        try:
            return str(data["claimTask"]["verdict"]), str(data["claimTask"]["holder"] or "")
        except (LookupError, TypeError):
            raise EndpointError("the web answered claimTask with no verdict") from None

    def _say(self, reason: str) -> None:
        if reason != self._said:
            self._said = reason
            log.warning(
                "claim.waiting", text="cannot ask whether redelivered tasks are still open: {reason}", reason=reason
            )
