"""How an attempt that goes wrong is told: what it raised, its time limit, a value that cannot travel.

Without pydantic: the sandbox uses it too.
"""

from dataclasses import replace
from typing import Any

from workers import limits
from workers.messages import ErrorInfo
from workers.raised import clean, describe
from workers.returned import NotSerialisable, TooLarge, to_wire
from workers.timelimit import TimeLimit, too_long

MOST_TEXT = 4096


class Failed(Exception):
    """The attempt has failed for this reason."""

    def __init__(self, reason: str, error: ErrorInfo) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


def failed(reason: str, type_: str, text: str) -> Failed:
    return Failed(reason, ErrorInfo(type=type_, message=clean(text, MOST_TEXT)))


def failed_by(error: BaseException, *, hidden_file: str) -> Failed:
    described = describe(error, hidden_file=hidden_file)
    if isinstance(error, SystemExit):
        text = f"exited with code {_exit_code(error)} in mid-task (sys.exit)"
        return Failed("CRASHED", ErrorInfo(type="SystemExit", message=text, traceback=described.traceback))
    if hint := limits.hint(error):
        described = replace(described, message=f"{described.message} ({hint})" if described.message else hint)
    return Failed("ERROR", described)


def timed_out(limit_seconds: float, error: BaseException | None, *, hidden_file: str) -> Failed:
    """`error`: what it ended with, if it did not return."""
    traceback = describe(error, hidden_file=hidden_file).traceback if error else ""
    return Failed("TIMEOUT", ErrorInfo(type=TimeLimit.__name__, message=too_long(limit_seconds), traceback=traceback))


def wire(returned: Any, *, hidden_file: str) -> tuple[str | None, str | None]:
    """(value, result) of an Outcome. Raises Failed."""
    try:
        return to_wire(returned)
    except TooLarge as error:
        raise failed("RESULT_TOO_LARGE", "TooLarge", str(error)) from None
    except NotSerialisable as error:
        raise failed("RESULT_NOT_SERIALISABLE", "NotSerialisable", str(error)) from None
    except BaseException as error:  # noqa: BLE001  a returned object may do anything while it is looked through
        raise Failed("RESULT_NOT_SERIALISABLE", describe(error, hidden_file=hidden_file)) from None


def _exit_code(error: SystemExit) -> int:
    """As the system would report it: eight bits."""
    return error.code & 0xFF if isinstance(error.code, int) else int(error.code is not None)
