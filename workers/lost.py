"""That a channel or its connection has ended, and why in one line; how to wait for what that may cut off."""

import asyncio
import ssl
from typing import Any

from pika.exceptions import (
    ChannelClosed,
    ConnectionClosed,
    ConnectionOpenAborted,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)


class BrokerLost(Exception):
    """A channel or its connection has ended; `code` is AMQP's reply code, 0 when the line just broke."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


async def first(answer: "asyncio.Future[Any]", gone: "asyncio.Future[BrokerLost]") -> Any:
    """The answer, unless the end comes before it. Raises BrokerLost."""
    await asyncio.wait([answer, gone], return_when=asyncio.FIRST_COMPLETED)
    if answer.done():
        return answer.result()
    raise gone.result()


def resolve(future: "asyncio.Future[Any]", value: Any) -> None:
    """Several may answer; the first one counts."""
    if not future.done():
        future.set_result(value)


def why_lost(error: BaseException) -> BrokerLost:
    cause = _root(error)
    if isinstance(cause, ConnectionClosed | ChannelClosed):
        return BrokerLost(cause.reply_text, cause.reply_code)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return BrokerLost(f"its certificate is not to be trusted: {cause.verify_message}")
    for kind, text, code in _IN_OUR_WORDS:
        if isinstance(cause, kind):
            return BrokerLost(text, code)
    if isinstance(cause, OSError):
        return BrokerLost((cause.strerror or str(cause)).lower())
    return BrokerLost(str(cause) or type(cause).__name__)


_IN_OUR_WORDS = (
    (ProbableAuthenticationError, "it refuses the user name or password", 403),
    (ProbableAccessDeniedError, "it refuses this user access to the virtual host", 403),
    (ConnectionOpenAborted, "it does not answer", 0),
    (ssl.SSLError, "it speaks no TLS at this port: amqps:// is for its TLS port, which is 5671 by custom", 0),
)


def _root(error: BaseException) -> BaseException:
    """pika wraps a refused connect in up to four exceptions."""
    inner = getattr(error, "exceptions", None) or [getattr(error, "exception", None), *error.args]
    found = [each for each in inner if isinstance(each, BaseException)]
    return _root(found[-1]) if found else error
