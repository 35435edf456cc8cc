"""PUBLIC. Asks the web over kept-alive connections and tells apart what can go wrong."""

import json
from collections.abc import Mapping
from typing import Any

from workers.posting import Answer, Door, NoAnswer


class EndpointError(Exception):
    """No answer that can be used; the text is one line. The same may succeed later."""


class NotAllowed(EndpointError):
    """The token is unknown, revoked, or has not the scope."""


class Refused(EndpointError):
    """The web cannot take what was posted, and will not take the same again."""


class Stumbled(EndpointError):
    """The web met a fault of its own; perhaps because of what was posted."""


class Endpoint:
    """`path`: another door of the web, that answers as GraphQL does to bodies of another `content_type`."""

    def __init__(
        self,
        web_url: str,
        token: str,
        *,
        path: str = "/graphql/",
        content_type: str = "application/json",
        answer_seconds: float = 30.0,
    ) -> None:
        self._url = f"{web_url}{path}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        self._door = Door(self._url, headers, answer_seconds)

    async def ask(self, body: bytes, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer's `data`. Raises EndpointError."""
        try:
            answer = await self._door.post(body, headers)
        except NoAnswer as none:
            raise EndpointError(f"{self._url} does not answer ({none})") from None
        except RuntimeError as error:  # the system has no thread left for looking up the host's name, for now
            raise EndpointError(f"{self._url} cannot be asked: {error}") from None
        except ValueError:
            raise Refused("what is to be said of it in a header holds what no header can") from None
        return self._data_in(answer)

    def _data_in(self, response: Answer) -> dict[str, Any]:
        if response.status in (401, 403):
            raise NotAllowed(
                f"{self._url} refuses the token (HTTP {response.status}); check MILLRACE_TOKEN and its scope"
            )
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and answer.get("errors"):
            raise _failure(answer["errors"])
        if response.status == 500:
            raise Stumbled("the web met a fault of its own (HTTP 500); its log has the details")
        if response.status == 413:
            raise Refused(f"{self._url} says that it is too large (HTTP 413)")
        if response.status != 200 or not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
            raise EndpointError(f"{self._url} answered HTTP {response.status} without the data asked for")
        data: dict[str, Any] = answer["data"]
        return data


def _failure(errors: Any) -> EndpointError:
    first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
    extensions = first.get("extensions")
    code = str(extensions.get("code", "")) if isinstance(extensions, dict) else ""
    if code == "INTERNAL":  # its text names another number each time
        return Stumbled("the web met a fault of its own; its log has the details")
    text = " ".join(f"the web answered: {first.get('message', 'an error')!s:.200} {code}".split())
    return _FAILURES.get(code, EndpointError)(text)


_FAILURES: dict[str, type[EndpointError]] = {
    "UNAUTHENTICATED": NotAllowed,
    "FORBIDDEN": NotAllowed,
    "BAD_USER_INPUT": Refused,
    "QUERY_TOO_COMPLEX": Refused,
}
