"""One task -> its Outcome: check the parameters, call the handler, make what it returned or raised into data.

Runs in a child process. Whatever a handler does short of ending the process becomes an Outcome.
"""

import time
from collections.abc import Mapping
from typing import Any

from workers.failures import Failed, failed, failed_by, timed_out, wire
from workers.messages import Outcome, TaskMessage
from workers.registry import InvalidParameters, Kind
from workers.shown import presented
from workers.timelimit import Limit
from workers.usage import Usage


def execute(
    message: TaskMessage, kinds: Mapping[str, Kind], limit: Limit | None = None, usage: Usage | None = None
) -> Outcome:
    """`limit`, `usage`: those of this process; without them none is kept, and none told."""
    began = time.perf_counter()
    ended = _run(message, kinds, limit or Limit())
    run_seconds = round(time.perf_counter() - began, 6)
    cpu_seconds, peak_bytes = usage.take(run_seconds) if usage else (None, None)
    return Outcome(
        task=message.task,
        attempt=message.attempt,
        run_seconds=run_seconds,
        cpu_seconds=cpu_seconds,
        peak_bytes=peak_bytes,
        **ended,
    )


def _run(message: TaskMessage, kinds: Mapping[str, Kind], limit: Limit) -> dict[str, Any]:
    """How it ended, as the fields of its Outcome; what it returned is forgotten."""
    try:
        kind = _find(message.kind, kinds)
        params = _check(kind, message.params)
        returned = _call(kind, params, limit, message.timeout_seconds)
        value, result = wire(returned, hidden_file=__file__)
    except Failed as failure:
        return {"status": "FAILED", "reason": failure.reason, "error": failure.error}
    return {"status": "FINISHED", "value": value, "result": result}


def _find(name: str, kinds: Mapping[str, Kind]) -> Kind:
    if name not in kinds:
        known = ", ".join(sorted(kinds))
        text = f"This worker does not know the kind '{name}'. It knows {known}. MILLRACE_HANDLERS names its modules."
        raise failed("UNKNOWN_KIND", "UnknownKind", text)
    return kinds[name]


def _check(kind: Kind, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return kind.validated(params)
    except InvalidParameters as error:
        raise failed("ERROR", "InvalidParameters", str(error)) from None


def _call(kind: Kind, params: dict[str, Any], limit: Limit, limit_seconds: float | None) -> Any:
    """A task that was told that its time is over has timed out, whatever it then returns or raises."""
    try:
        returned = _within(limit, limit_seconds, kind, params)
    except BaseException as error:  # noqa: BLE001  this is where a handler's error becomes its outcome
        if not limit.reached:
            raise failed_by(error, hidden_file=__file__) from None
        raise timed_out(limit_seconds or 0, error, hidden_file=__file__) from None
    if limit.reached:
        raise timed_out(limit_seconds or 0, None, hidden_file=__file__)
    return returned


def _within(limit: Limit, limit_seconds: float | None, kind: Kind, params: dict[str, Any]) -> Any:
    try:
        limit.arm(limit_seconds)
        return presented(kind.run(**params))
    finally:
        limit.disarm()
