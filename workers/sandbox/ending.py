"""How code ended -> its Outcome. Runs inside, after the code, which may have done anything to this process."""

import mmap
import time
from collections.abc import Callable
from typing import Any

from workers.failures import Failed, failed_by, timed_out, wire
from workers.messages import ErrorInfo, Outcome, TaskMessage
from workers.raised import clean, describe
from workers.sandbox import runner
from workers.shown import presented
from workers.timelimit import Limit

KIND = "code.python"
MOST_CODE = 60_000  # the parameters of a task have at most 65,536 bytes
RESERVE = 32 << 20  # given back when the code has used up its memory: telling so takes some


def run(message: TaskMessage, limit: Limit) -> Outcome:
    """`limit`: the one installed in this process."""
    began = time.perf_counter()
    reserve = mmap.mmap(-1, RESERVE)  # address space alone: none of it is touched
    try:
        value, result = _run(message, limit, reserve.close)
        ended: dict[str, Any] = {"status": "FINISHED", "value": value, "result": result}
    except Failed as failure:
        ended = {"status": "FAILED", "reason": failure.reason, "error": failure.error}
    except BaseException as error:  # noqa: BLE001  a last surprise, such as a signal's in the lines that report another
        ended = {"status": "FAILED", "reason": "ERROR", "error": describe(error, hidden_file=__file__)}
    return Outcome(
        task=message.task, attempt=message.attempt, run_seconds=round(time.perf_counter() - began, 6), **ended
    )


def mistake(message: TaskMessage) -> ErrorInfo | None:
    """In what is to be run."""
    if message.kind != KIND:
        return ErrorInfo(type="UnknownKind", message=f"The sandbox runs {KIND} alone, not '{message.kind:.100}'.")
    for name in message.params:
        if name != "code":
            return ErrorInfo(type="InvalidParameters", message=f"{clean(name, 100)}: there is no such parameter")
    code = message.params.get("code")
    if not isinstance(code, str):
        what = "must be a text" if "code" in message.params else "is missing"
        return ErrorInfo(type="InvalidParameters", message=f"code: {what}")
    if len(code) > MOST_CODE:
        text = f"code: has {len(code):,} characters; at most {MOST_CODE:,} are possible"
        return ErrorInfo(type="InvalidParameters", message=text)
    return None


def _run(message: TaskMessage, limit: Limit, give_back: Callable[[], None]) -> tuple[str | None, str | None]:
    if wrong := mistake(message):
        raise Failed("UNKNOWN_KIND" if wrong.type == "UnknownKind" else "ERROR", wrong)
    limit_seconds = message.timeout_seconds
    try:
        returned = _within(limit, limit_seconds, message.params["code"])
    except BaseException as error:  # noqa: BLE001  this is where the code's error becomes its outcome
        give_back()
        if limit.reached:
            raise timed_out(limit_seconds or 0, error, hidden_file=__file__) from None
        raise failed_by(error, hidden_file=__file__) from None
    give_back()
    if limit.reached:
        raise timed_out(limit_seconds or 0, None, hidden_file=__file__)
    return wire(returned, hidden_file=__file__)


def _within(limit: Limit, limit_seconds: float | None, code: str) -> Any:
    try:
        limit.arm(limit_seconds)
        return presented(runner.run(code), with_figures=True)
    finally:
        limit.disarm()
