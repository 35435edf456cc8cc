"""Asks the web whether a delivery that may be a duplicate is still to be run.

Of a first delivery RabbitMQ guarantees that nobody has seen it before; it runs unasked. What the web believes another
worker to run is that worker's as long as it is connected, which the broker knows.
"""

import asyncio
import json

from workers.broker import retries
from workers.endpoint import Endpoint, EndpointError, NotAllowed, Refused
from workers.log import get_logger
from workers.presence import Presence

DOCUMENT = """mutation claimTask($input: ClaimTaskInput!) {
  claimTask(input: $input) { verdict holder }
}"""
NOT_ALLOWED_SECONDS = 10.0
HELD = "HELD"
HELD_TIMES = 3
HELD_SECONDS = 1.0

log = get_logger()


class Claims:
    """Asks until the web answers; several questions may be open at once. Says once that it waits."""

    def __init__(self, endpoint: Endpoint, worker: str) -> None:
        self._endpoint = endpoint
        self._worker = worker
        self._said = ""

    async def may_run(self, task: int, attempt: int, presence: Presence) -> bool:
        """False as well when another worker runs it. Raises BrokerLost.

        Raises Refused: the web has no answer to this, and will not have one.
        """
        held_times, gone = 0, ""
        while True:
            verdict, holder = await self._answer(task, attempt, gone)
            if verdict != HELD:
                return verdict == "RUN"
            gone = holder if await presence.is_gone(holder) else ""
            if not gone:
                held_times += 1
                if held_times == HELD_TIMES:
                    return False
                await asyncio.sleep(HELD_SECONDS)

    async def _answer(self, task: int, attempt: int, gone: str) -> tuple[str, str]:
        async for _ in retries():
            try:
                answer = await self._ask(task, attempt, gone)
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

    async def _ask(self, task: int, attempt: int, gone: str) -> tuple[str, str]:
        """(verdict, who runs it). `gone`: the worker that the web believes to run it, and that is not there."""
        given = {"task": task, "attempt": attempt, "worker": self._worker, **({"gone": gone} if gone else {})}
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
