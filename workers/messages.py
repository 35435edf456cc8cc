"""The wire format between relay, workers and sink: JSON bodies, versioned, strict in what they accept.

Three kinds of message travel: one `TaskMessage` per attempt (relay -> one worker), one `Cancellation` for what has been
cancelled (relay -> every worker), and one `EventBatch` per burst of events (worker -> sink -> GraphQL). Bodies carry
ids and input, never truth: the task's row is the only truth.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from workers.fields import (
    BIGGEST_ID,
    MAX_RESULT_BYTES,
    MAX_RESULT_DEPTH,
    QUEUE_NAME_RULE,
    BadMessage,
    decode_json,
    is_queue_name,
    list_of,
    nested_deeper,
    number_of,
    object_of,
    pairs_of,
    result_of,
    seconds_of,
    storable,
    text_of,
    value_of,
)

__all__ = [
    "AGAIN_HEADER",
    "BIGGEST_ID",
    "CONTENT_TYPE",
    "MAX_RESULT_BYTES",
    "MAX_RESULT_DEPTH",
    "QUEUE_NAME_RULE",
    "VERSION",
    "BadMessage",
    "Cancellation",
    "ErrorInfo",
    "Event",
    "EventBatch",
    "Heartbeat",
    "Outcome",
    "Returned",
    "Started",
    "TaskMessage",
    "Undeliverable",
    "check_batch",
    "decode_batch",
    "decode_event",
    "decode_heartbeat",
    "encode_event",
    "event_head",
    "is_queue_name",
    "join_batch",
    "nested_deeper",
    "storable",
]

VERSION = 1
MAX_BODY_BYTES = 1_048_576
CONTENT_TYPE = "application/json"
AGAIN_HEADER = "x-again"  # set when an earlier publish of the same attempt was never confirmed
MAX_ERROR_LENGTH = 4_096
MAX_TRACEBACK_LENGTH = 16_384

FinalStatus = Literal["FINISHED", "FAILED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """One attempt handed to the workers. `timeout_seconds`: how long it may run; None = without limit."""

    task: int
    attempt: int
    kind: str
    params: dict[str, Any]
    timeout_seconds: float | None = None

    def encode(self) -> bytes:
        fields = {"v": VERSION, "task": self.task, "attempt": self.attempt, "kind": self.kind, "params": self.params}
        if self.timeout_seconds is not None:
            fields["timeout_seconds"] = self.timeout_seconds
        return _dump(fields)

    @classmethod
    def decode(cls, body: bytes) -> "TaskMessage":
        data = _load(body)
        return cls(
            task=number_of(data, "task"),
            attempt=number_of(data, "attempt"),
            kind=text_of(data, "kind"),
            params=object_of(data, "params"),
            timeout_seconds=seconds_of(data, "timeout_seconds") if data.get("timeout_seconds") is not None else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Attempts, as (task, attempt), that are cancelled: whoever runs one kills it, whoever holds one drops it."""

    attempts: list[tuple[int, int]]

    def encode(self) -> bytes:
        return _dump({"v": VERSION, "cancelled": self.attempts})

    @classmethod
    def decode(cls, body: bytes) -> "Cancellation":
        return cls(attempts=pairs_of(_load(body), "cancelled"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """What a handler raised, or how its process ended."""

    type: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A worker has begun to run the attempt."""

    type: ClassVar[str] = "STARTED"
    task: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the attempt ended.

    `value` is the number it returned as `repr` text ("0.25", "nan", "-inf"), None when it returned no number.
    `result` is what it returned as JSON text, None for a plain float or nothing.
    `reason` is one of the lifecycle's reasons for FAILED, "" for FINISHED. `run_seconds` is measured, not subtracted.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A worker that has to leave gives the attempt back unfinished; nobody is to blame."""

    type: ClassVar[str] = "RETURNED"
    task: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeliverable:
    """The broker has given the attempt's message up: too many deliveries of it ended without an ack."""

    type: ClassVar[str] = "UNDELIVERABLE"
    task: int
    attempt: int


Event = Started | Outcome | Returned | Undeliverable


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A worker's sign of life. `kinds` and `environment` come with the first one after a connect and once a minute.

    `kinds`: [{"name", "doc", "schema" (JSON Schema of the parameters), "queue"}]. `leaving`: the last one, sent on an
    orderly stop.
    """

    host: str
    pid: int
    queues: list[str]
    concurrency: int
    running: list[int]
    draining: bool = False
    leaving: bool = False
    rss_bytes: int | None = None
    kinds: list[dict[str, Any]] | None = None
    environment: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """What one worker has to say at once: events in the order they happened, and perhaps a heartbeat.

    `canary`: when the relay sent it, in seconds since 1970 by the database's clock. It has nothing else to say, and its
    arrival shows that whatever was sent before has arrived as well.
    """

    worker: str
    events: list[Event] = field(default_factory=list)
    heartbeat: Heartbeat | None = None
    canary: float | None = None

    def encode(self) -> bytes:
        return join_batch(self.worker, [encode_event(event) for event in self.events], self.heartbeat, self.canary)


def encode_event(event: Event) -> bytes:
    """One element of a batch's `events`. It begins with `event_head`."""
    head = event_head(event.type, event.task, event.attempt)
    if not isinstance(event, Outcome):
        return head + b"}"
    fields: dict[str, Any] = {"status": event.status, "run_seconds": event.run_seconds}
    if event.reason:
        fields["reason"] = event.reason
    if event.value is not None:
        fields["value"] = event.value
    if event.result is not None:
        fields["result"] = event.result
    if event.error is not None:
        fields["error"] = asdict(event.error)
    return head + b"," + _dump(fields)[1:]


def event_head(event_type: str, task: int, attempt: int) -> bytes:
    """What every encoded event of this attempt begins with."""
    return b'{"type":"%s","task":%d,"attempt":%d' % (event_type.encode(), task, attempt)


def join_batch(
    worker: str, events: list[bytes], heartbeat: Heartbeat | None = None, canary: float | None = None
) -> bytes:
    """A batch of events that are encoded already."""
    head = _dump({"v": VERSION, "worker": worker, **({} if canary is None else {"canary": canary})})[:-1]
    tail = b',"heartbeat":' + _dump(asdict(heartbeat)) + b"}" if heartbeat else b"}"
    return b"".join([head, b',"events":[', b",".join(events), b"]", tail])


def decode_batch(body: bytes) -> dict[str, Any]:
    """The batch as JSON data, its outline checked; each event is checked by `decode_event` where it is recorded.

    Raises BadMessage.
    """
    return check_batch(_load(body))


def check_batch(data: object) -> dict[str, Any]:
    """The same check for a batch that has been parsed already. Raises BadMessage."""
    if not isinstance(data, dict):
        raise BadMessage("not a JSON object")
    _version(data)
    text_of(data, "worker")
    if not isinstance(data.get("events"), list):
        raise BadMessage("'events' must be a list")
    if not isinstance(data.get("heartbeat", {}), dict):
        raise BadMessage("'heartbeat' must be an object")
    if data.get("canary") is not None:
        seconds_of(data, "canary")
    return data


def decode_event(data: object) -> Event:
    """Raises BadMessage, with the field and what was expected."""
    if not isinstance(data, dict):
        raise BadMessage("an event must be an object")
    kind = data.get("type")
    if kind == Outcome.type:
        return _outcome(data)
    if not isinstance(kind, str) or kind not in _BARE:
        raise BadMessage(f"unknown event type {kind!r:.50}")
    return _BARE[kind](task=number_of(data, "task"), attempt=number_of(data, "attempt"))


def decode_heartbeat(data: dict[str, Any]) -> Heartbeat:
    """Raises BadMessage, with the field and what was expected."""
    try:
        text = json.dumps(data, ensure_ascii=False)
    except RecursionError:
        raise BadMessage("it is nested too deeply") from None
    if not storable(text):
        raise BadMessage("it holds a NUL or a lone surrogate")
    rss = data.get("rss_bytes")
    return Heartbeat(
        host=text_of(data, "host"),
        pid=number_of(data, "pid"),
        queues=list_of(data, "queues", str),
        concurrency=number_of(data, "concurrency"),
        running=list_of(data, "running", int),
        draining=data.get("draining") is True,
        leaving=data.get("leaving") is True,
        rss_bytes=rss if isinstance(rss, int) and 0 <= rss <= BIGGEST_ID else None,
        kinds=list_of(data, "kinds", dict) if data.get("kinds") is not None else None,
        environment=object_of(data, "environment") if data.get("environment") is not None else None,
    )


_BARE: dict[str, type[Started | Returned | Undeliverable]] = {
    each.type: each for each in (Started, Returned, Undeliverable)
}


def _outcome(data: dict[str, Any]) -> Outcome:
    status = data.get("status")
    if status not in ("FINISHED", "FAILED"):
        raise BadMessage("'status' must be FINISHED or FAILED")
    return Outcome(
        task=number_of(data, "task"),
        attempt=number_of(data, "attempt"),
        status=status,
        reason=text_of(data, "reason") if data.get("reason") else "",
        value=value_of(data),
        result=result_of(data) if data.get("result") is not None else None,
        error=_error(object_of(data, "error")) if data.get("error") is not None else None,
        run_seconds=seconds_of(data, "run_seconds"),
    )


def _error(data: dict[str, Any]) -> ErrorInfo:
    return ErrorInfo(
        type=text_of(data, "type"),
        message=text_of(data, "message")[:MAX_ERROR_LENGTH] if data.get("message") else "",
        traceback=text_of(data, "traceback")[:MAX_TRACEBACK_LENGTH] if data.get("traceback") else "",
    )


def _dump(data: dict[str, Any]) -> bytes:
    return _encode(data).encode()


def _load(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise BadMessage(f"longer than {MAX_BODY_BYTES} bytes")
    try:
        # json.loads would accept UTF-16 bytes as well, which could not be joined with others.
        data = decode_json(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error!s:.100}") from None
    if not isinstance(data, dict):
        raise BadMessage("not a JSON object")
    _version(data)
    return data


# json.dumps would make it anew for every message.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _version(data: dict[str, Any]) -> None:
    if data.get("v") != VERSION:
        raise BadMessage(f"version {data.get('v')!r:.20} is not spoken here (only {VERSION})")
