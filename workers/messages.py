"""The wire format between relay, workers and sink: JSON bodies, versioned, strict in what they accept.

Four kinds of message travel: one `TaskMessage` per attempt (relay -> one worker), one `Cancellation` for what has been
cancelled and `Orders` for what nobody is to begin (relay -> every worker), and one `EventBatch` per burst of events
(worker -> sink -> GraphQL). Bodies carry ids and input, never truth: the task's row is the only truth.
"""

import json
from dataclasses import asdict, dataclass, field
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from workers.events import (
    HEAD_BYTES,
    MAX_PROGRESS_LENGTH,
    TAIL_BYTES,
    ErrorInfo,
    Event,
    Outcome,
    Output,
    Progress,
    Returned,
    Started,
    Stream,
    Undeliverable,
    Vanished,
    decode_event,
    encode_event,
    event_head,
)
from workers.fields import (
    BIGGEST_ID,
    MAX_RESULT_BYTES,
    MAX_RESULT_DEPTH,
    QUEUE_NAME_RULE,
    BadMessage,
    decode_json,
    dump,
    dump_text,
    is_queue_name,
    list_of,
    nested_deeper,
    number_of,
    object_of,
    pairs_of,
    seconds_of,
    storable,
    text_of,
)
from workers.fixed import fixed

__all__ = [
    "AGAIN_HEADER",
    "BIGGEST_ID",
    "CONTENT_TYPE",
    "HEAD_BYTES",
    "MAX_PROGRESS_LENGTH",
    "MAX_RESULT_BYTES",
    "MAX_RESULT_DEPTH",
    "NO_SANDBOX",
    "QUEUE_NAME_RULE",
    "TAIL_BYTES",
    "VERSION",
    "BadMessage",
    "Cancellation",
    "ErrorInfo",
    "Event",
    "EventBatch",
    "Heartbeat",
    "Orders",
    "Outcome",
    "Output",
    "Progress",
    "Returned",
    "Started",
    "Stream",
    "TaskMessage",
    "Undeliverable",
    "Vanished",
    "check_batch",
    "decode_batch",
    "decode_control",
    "decode_event",
    "decode_heartbeat",
    "dump_text",
    "encode_event",
    "event_head",
    "is_queue_name",
    "join_batch",
    "nested_deeper",
    "storable",
    "task_body",
]

VERSION = 1
MAX_BODY_BYTES = 1_048_576
CONTENT_TYPE = "application/json"
NO_SANDBOX = "NoSandbox"  # the error's type when code has come to a worker that cannot shut it in
AGAIN_HEADER = "x-again"  # set when an earlier publish of the same attempt was never confirmed


def task_body(task: int, attempt: int, kind: str, params: str, timeout_seconds: float | None) -> bytes:
    """A TaskMessage whose parameters are JSON already."""
    limit = "" if timeout_seconds is None else f',"timeout_seconds":{timeout_seconds!r}'
    head = f'{{"v":{VERSION},"task":{task},"attempt":{attempt},"kind":{quoted(kind)},"params":'
    return f"{head}{params}{limit}}}".encode()


@fixed
class TaskMessage:
    """One attempt handed to the workers. `timeout_seconds`: how long it may run; None = without limit."""

    task: int
    attempt: int
    kind: str
    params: dict[str, Any]
    timeout_seconds: float | None = None

    def encode(self) -> bytes:
        return task_body(self.task, self.attempt, self.kind, dump_text(self.params), self.timeout_seconds)

    @classmethod
    def decode(cls, body: bytes) -> "TaskMessage":
        """Raises BadMessage."""
        data = _load(body)
        return cls(
            task=number_of(data, "task"),
            attempt=number_of(data, "attempt"),
            kind=text_of(data, "kind"),
            params=object_of(data, "params"),
            timeout_seconds=seconds_of(data, "timeout_seconds") if data.get("timeout_seconds") is not None else None,
        )

    @classmethod
    def decode_checked(cls, body: bytes) -> "TaskMessage":
        """Of one that `decode` has read before, in the worker."""
        data = decode_json(body.decode())
        return cls(
            task=data["task"],
            attempt=data["attempt"],
            kind=data["kind"],
            params=data["params"],
            timeout_seconds=data.get("timeout_seconds"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Attempts, as (task, attempt), that are cancelled: whoever runs one kills it, whoever holds one drops it."""

    attempts: list[tuple[int, int]]

    def encode(self) -> bytes:
        return dump({"v": VERSION, "cancelled": self.attempts})

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Cancellation":
        return cls(attempts=pairs_of(data, "cancelled"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """All that is to begin nothing at present: whole each time, so whatever is not named goes on.

    `paused`: queues. `draining`, `stopping`: workers, by name; those stopping leave once nothing runs there.
    """

    paused: list[str] = field(default_factory=list)
    draining: list[str] = field(default_factory=list)
    stopping: list[str] = field(default_factory=list)

    def encode(self) -> bytes:
        return dump({"v": VERSION, "orders": asdict(self)})

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Orders":
        given = object_of(data, "orders")
        return cls(**{name: list_of(given, name, str) for name in ("paused", "draining", "stopping")})


def decode_control(body: bytes) -> Cancellation | Orders:
    """What the relay tells every worker. Raises BadMessage."""
    data = _load(body)
    return Orders.of(data) if "orders" in data else Cancellation.of(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A worker's sign of life. `kinds` and `environment` come with the first one after a connect and once a minute.

    `kinds`: [{"name", "doc", "schema" (JSON Schema of the parameters), "queue"}]. `draining`: it begins nothing.
    `leaving`: the last one, sent on an orderly stop.
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


def join_batch(
    worker: str, events: list[bytes], heartbeat: Heartbeat | None = None, canary: float | None = None
) -> bytes:
    """A batch of events that are encoded already."""
    head = dump({"v": VERSION, "worker": worker, **({} if canary is None else {"canary": canary})})[:-1]
    tail = b',"heartbeat":' + dump(asdict(heartbeat)) + b"}" if heartbeat else b"}"
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


def _version(data: dict[str, Any]) -> None:
    if "v" not in data:
        raise BadMessage(f"it names no version (v, which is {VERSION})")
    if data["v"] != VERSION:
        raise BadMessage(f"version {json.dumps(data['v']):.20} is not spoken here (only {VERSION})")
