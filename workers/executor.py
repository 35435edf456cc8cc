"""One task -> its Outcome: check the parameters, call the handler, make what it returned or raised into data.

Runs in a child process. Whatever a handler does short of ending the process becomes an Outcome.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workers import limits
from workers.messages import ErrorInfo, Outcome, TaskMessage
from workers.raised import clean, describe
from workers.registry import InvalidParameters, Kind
from workers.returned import NotSerialisable, TooLarge, to_wire
from workers.timelimit import Limit, TimeLimit, too_long


class Failed(Exception):
    """The attempt has failed for this reason."""

    def __init__(self, reason: str, error: ErrorInfo) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


def execute(message: TaskMessage, kinds: Mapping[str, Kind], limit: Limit | None = None) -> Outcome:
    """`limit`: the one installed in this process; without it none is kept."""
    began = time.perf_counter()
    try:
        kind = _find(message.kind, kinds)
        params = _check(kind, message.params)
        value, result = _wire(_call(kind, params, limit or Limit(), message.timeout_seconds))
    except Failed as failed:
        return Outcome(
            task=message.task,
            attempt=message.attempt,
            status="FAILED",
            reason=failed.reason,
            error=failed.error,
            run_seconds=_since(began),
        )
    return Outcome(
        task=message.task,
        attempt=message.attempt,
        status="FINISHED",
        value=value,
        result=result,
        run_seconds=_since(began),
    )


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 6)


def _find(name: str, kinds: Mapping[str, Kind]) -> Kind:
    if name not in kinds:
        known = ", ".join(sorted(kinds))
        text = f"This worker does not know the kind '{name}'. It knows {known}. MILLRACE_HANDLERS names its modules."
        raise Failed("UNKNOWN_KIND", ErrorInfo(type="UnknownKind", message=clean(text, 4096)))
    return kinds[name]


def _check(kind: Kind, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return kind.validated(params)
    except InvalidParameters as error:
        raise Failed("ERROR", ErrorInfo(type="InvalidParameters", message=clean(str(error), 4096))) from None


def _call(kind: Kind, params: dict[str, Any], limit: Limit, limit_seconds: float | None) -> Any:
    """A task that was told that its time is over has timed out, whatever it then returns or raises."""
    try:
        returned = _within(limit, limit_seconds, kind, params)
    except BaseException as error:  # noqa: BLE001  this is where a handler's error becomes its outcome
        if not limit.reached:
            raise _failed_by(error) from None
        described = describe(error, hidden_file=__file__)
        raise _timed_out(limit_seconds or 0, described.traceback) from None
    if limit.reached:
        raise _timed_out(limit_seconds or 0, "")
    return returned


def _within(limit: Limit, limit_seconds: float | None, kind: Kind, params: dict[str, Any]) -> Any:
    try:
        limit.arm(limit_seconds)
        return kind.run(**params)
    finally:
        limit.disarm()


def _failed_by(error: BaseException) -> Failed:
    described = describe(error, hidden_file=__file__)
    if isinstance(error, SystemExit):
        text = f"exited with code {_exit_code(error)} in mid-task (sys.exit)"
        return Failed("CRASHED", ErrorInfo(type="SystemExit", message=text, traceback=described.traceback))
    if hint := limits.hint(error):
        described = replace(described, message=f"{described.message} ({hint})" if described.message else hint)
    return Failed("ERROR", described)


def _timed_out(limit_seconds: float, traceback: str) -> Failed:
    return Failed("TIMEOUT", ErrorInfo(type=TimeLimit.__name__, message=too_long(limit_seconds), traceback=traceback))


def _wire(returned: Any) -> tuple[str | None, str | None]:
    try:
        return to_wire(returned)
    except TooLarge as error:
        raise Failed("RESULT_TOO_LARGE", ErrorInfo(type="TooLarge", message=clean(str(error), 4096))) from None
    except NotSerialisable as error:
        info = ErrorInfo(type="NotSerialisable", message=clean(str(error), 4096))
        raise Failed("RESULT_NOT_SERIALISABLE", info) from None
    except BaseException as error:  # noqa: BLE001  a returned object may do anything while it is looked through
        described = describe(error, hidden_file=__file__)
        raise Failed("RESULT_NOT_SERIALISABLE", described) from None


def _exit_code(error: SystemExit) -> int:
    """As the system would report it: eight bits."""
    return error.code & 0xFF if isinstance(error.code, int) else int(error.code is not None)
