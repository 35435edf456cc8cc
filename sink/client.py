"""The sink's mutation: bodies of event messages in, one verdict per event out."""

from collections.abc import Sequence

from workers.endpoint import Endpoint, EndpointError, Refused

DOCUMENT = """mutation recordEvents($input: RecordEventsInput!) {
  recordEvents(input: $input) { verdicts userErrors { field message } }
}"""
INVALID = "INVALID"

_HEAD = b'{"query":"%s","variables":{"input":{"batches":[' % DOCUMENT.replace("\n", "\\n").encode()
_TAIL = b"]}}}"


class Client:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def record(self, bodies: Sequence[bytes], event_count: int) -> list[str]:
        """The verdicts in the order of the events. `bodies` are JSON already and are joined as they are.

        Raises EndpointError unless every event has its verdict; then nothing counts as recorded. Raises Refused when
        the web cannot take one of the bodies.
        """
        data = await self._endpoint.ask(b"".join([_HEAD, b",".join(bodies), _TAIL]))
        payload = data.get("recordEvents")
        if not isinstance(payload, dict):
            raise EndpointError("the web answered recordEvents with nothing")
        if payload.get("userErrors"):
            raise Refused(f"the web refused a batch: {payload['userErrors'][0].get('message', '')!s:.200}")
        verdicts = payload.get("verdicts")
        if not isinstance(verdicts, list) or len(verdicts) != event_count:
            found = len(verdicts) if isinstance(verdicts, list) else "no"
            raise EndpointError(f"the web answered with {found} verdicts for {event_count} events")
        return verdicts
