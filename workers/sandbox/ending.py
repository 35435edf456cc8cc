"""How code ended -> its Outcome. Runs inside, after the code, which may have done anything to this process."""

import mmap
import time
from collections.abc import Callable
from typing import Any

from workers.messages import ErrorInfo, Outcome, TaskMessage
from workers.raised import clean, describe
from workers.returned import NotSerialisable, TooLarge, to_wire
from workers.sandbox import runner
from workers.timelimit import Limit, TimeLimit, too_long

KIND = "code.python"
MOST_CODE = 200_000
RESERVE = 32 << 20  # given back when the code has used up its memory: telling so takes some


def run(message: TaskMessage, limit: Limit) -> Outcome:
    """`limit`: the one installed in this process."""
    began = time.perf_counter()
    reserve = mmap.mmap(-1, RESERVE)  # address space alone: none of it is touched
    try:
        ended = _run(message, limit, reserve.close)
    except BaseException as error:  # noqa: BLE001  a last surprise, such as a signal's in the lines that report another
        ended = _failed("ERROR", describe(error, hidden_file=__file__))
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


def _run(message: TaskMessage, limit: Limit, give_back: Callable[[], None]) -> dict[str, Any]:
    if wrong := mistake(message):
        return _failed("UNKNOWN_KIND" if wrong.type == "UnknownKind" else "ERROR", wrong)
    try:
        returned = _within(limit, message.timeout_seconds, message.params["code"])
    except BaseException as error:  # noqa: BLE001  this is where the code's error becomes its outcome
        give_back()
        if limit.reached:
            return _timed_out(message, describe(error, hidden_file=__file__).traceback)
        return _failed_by(error)
    give_back()
    return _timed_out(message, "") if limit.reached else _returned(returned)


def _within(limit: Limit, limit_seconds: float | None, code: str) -> Any:
    try:
        limit.arm(limit_seconds)
        return runner.run(code)
    finally:
        limit.disarm()


def _failed_by(error: BaseException) -> dict[str, Any]:
    described = describe(error, hidden_file=__file__)
    if not isinstance(error, SystemExit):
        return _failed("ERROR", described)
    code = error.code & 0xFF if isinstance(error.code, int) else int(error.code is not None)
    text = f"exited with code {code} in mid-task (sys.exit)"
    return _failed("CRASHED", ErrorInfo(type="SystemExit", message=text, traceback=described.traceback))


def _returned(returned: Any) -> dict[str, Any]:
    try:
        value, result = to_wire(returned)
    except TooLarge as error:
        return _failed("RESULT_TOO_LARGE", ErrorInfo(type="TooLarge", message=clean(str(error), 4096)))
    except NotSerialisable as error:
        text = clean(str(error), 4096)
        return _failed("RESULT_NOT_SERIALISABLE", ErrorInfo(type="NotSerialisable", message=text))
    except BaseException as error:  # noqa: BLE001  a returned object may do anything while it is looked through
        return _failed("RESULT_NOT_SERIALISABLE", describe(error, hidden_file=__file__))
    return {"status": "FINISHED", "value": value, "result": result}


def _timed_out(message: TaskMessage, traceback: str) -> dict[str, Any]:
    text = too_long(message.timeout_seconds or 0)
    return _failed("TIMEOUT", ErrorInfo(type=TimeLimit.__name__, message=text, traceback=traceback))


def _failed(reason: str, error: ErrorInfo) -> dict[str, Any]:
    return {"status": "FAILED", "reason": reason, "error": error}
