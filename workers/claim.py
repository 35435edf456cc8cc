"""Asks the web whether a delivery that may be a duplicate is to be run.

A first delivery needs no question: RabbitMQ guarantees that nobody has seen it before.
"""

import asyncio
import json

from workers.broker import retries
from workers.endpoint import Endpoint, EndpointError, NotAllowed
from workers.log import get_logger

DOCUMENT = """mutation claimTask($input: ClaimTaskInput!) {
  claimTask(input: $input) { verdict }
}"""
NOT_ALLOWED_SECONDS = 10.0

log = get_logger()


class Claims:
    """Asks until the web answers; several questions may be open at once. Says once that it waits."""

    def __init__(self, endpoint: Endpoint, worker: str) -> None:
        self._endpoint = endpoint
        self._worker = worker
        self._said = ""

    async def may_run(self, task: int, attempt: int) -> bool:
        given = {"input": {"task": task, "attempt": attempt, "worker": self._worker}}
        body = json.dumps({"query": DOCUMENT, "variables": given}).encode()
        async for _ in retries():
            try:
                data = await asyncio.to_thread(self._endpoint.post, body)
                verdict = data["claimTask"]["verdict"]
            except (EndpointError, LookupError, TypeError) as error:
                self._say(str(error))
                if isinstance(error, NotAllowed):
                    await asyncio.sleep(NOT_ALLOWED_SECONDS)
            else:
                self._said = ""
                return bool(verdict == "RUN")
        raise AssertionError("retries() never ends")

    def _say(self, reason: str) -> None:
        if reason != self._said:
            self._said = reason
            log.warning(
                "claim.waiting", text="cannot ask whether redelivered tasks are still open: {reason}", reason=reason
            )
