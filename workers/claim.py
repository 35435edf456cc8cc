"""Asks the web whether a delivery is still to be run: one that may be a duplicate, one that may have been deleted.

Of a first delivery RabbitMQ guarantees that nobody has seen it before. Where it may have waited in the broker for long
the web is asked all the same, but nothing depends on its answer.
"""

import asyncio
import json

from workers.broker import retries
from workers.endpoint import Endpoint, EndpointError, NotAllowed, Refused
from workers.log import get_logger

DOCUMENT = """mutation claimTask($input: ClaimTaskInput!) {
  claimTask(input: $input) { verdict }
}"""
NOT_ALLOWED_SECONDS = 10.0
PATIENCE_SECONDS = 1.0

log = get_logger()


class Claims:
    """Asks until the web answers; several questions may be open at once. Says once that it waits."""

    def __init__(self, endpoint: Endpoint, worker: str) -> None:
        self._endpoint = endpoint
        self._worker = worker
        self._said = ""

    async def may_run(self, task: int, attempt: int) -> bool:
        """Raises Refused: the web has no answer to this, and will not have one."""
        async for _ in retries():
            try:
                verdict = await self._ask(task, attempt)
            except Refused:
                raise
            except EndpointError as error:
                self._say(str(error))
                if isinstance(error, NotAllowed):
                    await asyncio.sleep(NOT_ALLOWED_SECONDS)
            else:
                self._said = ""
                return bool(verdict == "RUN")
        raise AssertionError("retries() never ends")

    async def is_wanted(self, task: int, attempt: int) -> bool:
        """Asked once; True when the web does not answer soon."""
        try:
            return await self._ask(task, attempt, patience_seconds=PATIENCE_SECONDS) == "RUN"
        except EndpointError:
            return True

    async def _ask(self, task: int, attempt: int, *, patience_seconds: float | None = None) -> str:
        given = {"input": {"task": task, "attempt": attempt, "worker": self._worker}}
        body = json.dumps({"query": DOCUMENT, "variables": given}).encode()
        data = await asyncio.to_thread(self._endpoint.post, body, patience_seconds=patience_seconds)
        try:
            return str(data["claimTask"]["verdict"])
        except (LookupError, TypeError):
            raise EndpointError("the web answered claimTask with no verdict") from None

    def _say(self, reason: str) -> None:
        if reason != self._said:
            self._said = reason
            log.warning(
                "claim.waiting", text="cannot ask whether redelivered tasks are still open: {reason}", reason=reason
            )
