"""One task -> its Outcome: check the parameters, call the handler, make what it returned or raised into data.

Runs in a child process. Whatever a handler does short of ending the process becomes an Outcome.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any

from workers.messages import ErrorInfo, Outcome, TaskMessage
from workers.raised import clean, describe
from workers.registry import InvalidParameters, Kind
from workers.returned import NotSerialisable, TooLarge, to_wire


class Failed(Exception):
    """The attempt has failed for this reason."""

    def __init__(self, reason: str, error: ErrorInfo) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


def execute(message: TaskMessage, kinds: Mapping[str, Kind]) -> Outcome:
    began = time.perf_counter()
    try:
        kind = _find(message.kind, kinds)
        params = _check(kind, message.params)
        value, result = _wire(_call(kind, params))
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


def _call(kind: Kind, params: dict[str, Any]) -> Any:
    try:
        return kind.run(**params)
    except SystemExit as error:
        described = describe(error, hidden_file=__file__)
        text = f"exited with code {_exit_code(error)} in mid-task (sys.exit)"
        raise Failed("CRASHED", ErrorInfo(type="SystemExit", message=text, traceback=described.traceback)) from None
    except BaseException as error:  # noqa: BLE001  this is where a handler's error becomes its outcome
        raise Failed("ERROR", describe(error, hidden_file=__file__)) from None


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


def flush_output() -> None:
    """What the handler has printed is seen now, not when a buffer is full."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # closed or replaced by the handler; its own affair
