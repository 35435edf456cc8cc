"""What happens to an attempt, as a worker tells it and the database hears it: the elements of a batch's `events`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, ClassVar, Literal

from workers.fields import (
    BIGGEST_ID,
    BadMessage,
    dump_text,
    list_of,
    number_of,
    object_of,
    result_of,
    seconds_of,
    storable,
    text_of,
    value_of,
)
from workers.fixed import fixed

MAX_ERROR_LENGTH = 4_096
MAX_TRACEBACK_LENGTH = 16_384
HEAD_BYTES = 65_536  # of what an attempt prints; beyond it the last TAIL_BYTES are kept and the rest is counted
TAIL_BYTES = 65_536
MAX_PROGRESS_LENGTH = 200
ABSURD_RUN_SECONDS = 1e9  # 30 years: it would have begun before there were tasks

FinalStatus = Literal["FINISHED", "FAILED"]
Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """What a handler raised, or how its process ended."""

    type: str
    message: str
    traceback: str = ""


@fixed
class Started:
    """A worker has begun to run the attempt."""

    type: ClassVar[str] = "STARTED"
    task: int
    attempt: int


@fixed
class Outcome:
    """How the attempt ended.

    `value` is the number it returned as `repr` text ("0.25", "nan", "-inf"), None when it returned no number.
    `result` is what it returned as JSON text, None for a plain float or nothing.
    `reason` is one of the lifecycle's reasons for FAILED, "" for FINISHED. `run_seconds` is measured, not subtracted.
    `cpu_seconds`: of its process and those it has waited for; `peak_bytes`: the most memory that its process had at
    once; None when not known.
    """

    type: ClassVar[str] = "OUTCOME"
    task: int
    attempt: int
    status: FinalStatus
    reason: str = ""
    value: str | None = None
    result: str | None = None
    error: ErrorInfo | None = None
    run_seconds: float
    cpu_seconds: float | None = None
    peak_bytes: int | None = None


@fixed
class Output:
    """What the attempt has printed since the last piece, in the order in which it arrived.

    `position`: how many bytes it had printed before this piece; `size`: how many the piece stands for. Bytes that are
    no UTF-8 are replaced in its texts. Of what is printed beyond HEAD_BYTES the last TAIL_BYTES are to be kept; what
    is older than that when it could be sent is left out.
    """

    type: ClassVar[str] = "OUTPUT"
    task: int
    attempt: int
    position: int
    size: int
    parts: list[tuple[Stream, str]]


@fixed
class Progress:
    """How far the attempt has come, as its handler says. `fraction`: 0 to 1, None when it cannot tell."""

    type: ClassVar[str] = "PROGRESS"
    task: int
    attempt: int
    fraction: float | None
    text: str = ""


@fixed
class Returned:
    """A worker that has to leave gives the attempt back unfinished; nobody is to blame."""

    type: ClassVar[str] = "RETURNED"
    task: int
    attempt: int


@fixed
class Undeliverable:
    """The broker has given the attempt's message up: too many deliveries of it ended without an ack."""

    type: ClassVar[str] = "UNDELIVERABLE"
    task: int
    attempt: int


@fixed
class Vanished:
    """The worker `holder` is not there any more. If it has not said yet how its run ended, it never will."""

    type: ClassVar[str] = "VANISHED"
    task: int
    attempt: int
    holder: str


Event = Started | Outcome | Output | Progress | Returned | Undeliverable | Vanished


def encode_event(event: Event) -> bytes:
    """One element of a batch's `events`. It begins with `event_head`."""
    return b"%s%s}" % (event_head(event.type, event.task, event.attempt), _fields(event).encode())


def _fields(event: Event) -> str:
    """As JSON, each after a comma: one by one, because json.dumps would take longer for all than a short task runs."""
    match event:
        case Outcome():
            return _outcome_fields(event)
        case Output():
            return f',"position":{event.position},"size":{event.size},"parts":{dump_text(event.parts)}'
        case Vanished():
            return f',"holder":{quoted(event.holder)}'
        case Progress():
            return f',"fraction":{dump_text(event.fraction)},"text":{dump_text(event.text)}'
    return ""


def _outcome_fields(event: Outcome) -> str:
    """Without those that say nothing."""
    told = f',"status":"{event.status}","run_seconds":{event.run_seconds!r}'
    if event.reason:
        told += f',"reason":{quoted(event.reason)}'
    if event.value:
        told += f',"value":{quoted(event.value)}'
    if event.result:
        told += f',"result":{quoted(event.result)}'
    if event.error is not None:
        told += f',"error":{dump_text(asdict(event.error))}'
    if event.cpu_seconds is not None:
        told += f',"cpu_seconds":{event.cpu_seconds!r}'
    if event.peak_bytes is not None:
        told += f',"peak_bytes":{event.peak_bytes}'
    return told


def event_head(event_type: str, task: int, attempt: int) -> bytes:
    """What every encoded event of this attempt begins with."""
    return b'{"type":"%s","task":%d,"attempt":%d' % (event_type.encode(), task, attempt)


def decode_event(data: object) -> Event:
    """Raises BadMessage, with the field and what was expected."""
    if not isinstance(data, dict):
        raise BadMessage("an event must be an object")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _READ:
        raise BadMessage(f"unknown event type {kind!r:.50}")
    return _READ[kind](data)


def _outcome(data: dict[str, Any]) -> Outcome:
    get = data.get
    status = get("status")
    if status not in ("FINISHED", "FAILED"):
        raise BadMessage("'status' must be FINISHED or FAILED")
    return Outcome(
        task=number_of(data, "task"),
        attempt=number_of(data, "attempt"),
        status=status,
        reason=text_of(data, "reason") if get("reason") else "",
        value=value_of(data),
        result=result_of(data) if get("result") is not None else None,
        error=_error(object_of(data, "error")) if get("error") is not None else None,
        run_seconds=seconds_of(data, "run_seconds", below=ABSURD_RUN_SECONDS),
        cpu_seconds=seconds_of(data, "cpu_seconds") if get("cpu_seconds") is not None else None,
        peak_bytes=_count(data, "peak_bytes") if get("peak_bytes") is not None else None,
    )


def _output(data: dict[str, Any]) -> Output:
    parts = list_of(data, "parts", list)
    if not all(len(part) == 2 and part[0] in ("stdout", "stderr") and _is_text(part[1]) for part in parts):
        raise BadMessage("'parts' must be pairs of 'stdout' or 'stderr' and a text")
    if sum(len(text) for _, text in parts) > TAIL_BYTES:
        raise BadMessage(f"'parts' hold more than {TAIL_BYTES} characters")
    return Output(
        task=number_of(data, "task"),
        attempt=number_of(data, "attempt"),
        position=_count(data, "position"),
        size=_count(data, "size"),
        parts=[(stream, text) for stream, text in parts],
    )


def _progress(data: dict[str, Any]) -> Progress:
    fraction = data.get("fraction")
    if fraction is not None and not 0 <= seconds_of(data, "fraction") <= 1:
        raise BadMessage("'fraction' must be from 0 to 1")
    text = text_of(data, "text") if data.get("text") else ""
    task, attempt = number_of(data, "task"), number_of(data, "attempt")
    return Progress(task=task, attempt=attempt, fraction=fraction, text=text[:MAX_PROGRESS_LENGTH])


def _vanished(data: dict[str, Any]) -> Vanished:
    task, attempt = number_of(data, "task"), number_of(data, "attempt")
    return Vanished(task=task, attempt=attempt, holder=text_of(data, "holder"))


def _count(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= BIGGEST_ID:
        raise BadMessage(f"'{name}' must be a whole number from 0")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and storable(value)


def _error(data: dict[str, Any]) -> ErrorInfo:
    return ErrorInfo(
        type=text_of(data, "type"),
        message=text_of(data, "message")[:MAX_ERROR_LENGTH] if data.get("message") else "",
        traceback=text_of(data, "traceback")[:MAX_TRACEBACK_LENGTH] if data.get("traceback") else "",
    )


def _bare(event_type: type[Started | Returned | Undeliverable]) -> Callable[[dict[str, Any]], Event]:
    return lambda data: event_type(task=number_of(data, "task"), attempt=number_of(data, "attempt"))


_READ: dict[str, Callable[[dict[str, Any]], Event]] = {
    Outcome.type: _outcome,
    Output.type: _output,
    Progress.type: _progress,
    Vanished.type: _vanished,
    **{each.type: _bare(each) for each in (Started, Returned, Undeliverable)},
}
