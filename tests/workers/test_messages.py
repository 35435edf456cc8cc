"""The wire format: what is written can be read, and what is not of it is refused with a reason."""

import json

import pytest

from workers.messages import (
    MAX_BODY_BYTES,
    BadMessage,
    ErrorInfo,
    Event,
    EventBatch,
    Heartbeat,
    Outcome,
    Started,
    TaskMessage,
    decode_batch,
    decode_event,
    decode_heartbeat,
    encode_event,
    event_head,
)

TASK = {"v": 1, "task": 1, "attempt": 1, "kind": "demo.noop", "params": {}}


def test_a_task_message_survives_the_way() -> None:
    message = TaskMessage(task=2**62, attempt=3, kind="demo.noop", params={"x": ["ü", None, 1.5, "\ud800"]})
    assert TaskMessage.decode(message.encode()) == message


def test_unknown_fields_are_ignored() -> None:
    assert TaskMessage.decode(json.dumps({**TASK, "later": 1}).encode()).task == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (json.dumps(TASK).encode("utf-16"), "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"1" * 5_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b" " * (MAX_BODY_BYTES + 1), "longer than"),
        (json.dumps({**TASK, "v": 2}).encode(), "version 2"),
        (json.dumps({**TASK, "v": None}).encode(), "version null"),
        (b'{"task": 1}', "no version"),
        (json.dumps({**TASK, "task": "1"}).encode(), "'task' must be a whole number"),
        (json.dumps({**TASK, "task": True}).encode(), "'task' must be a whole number"),
        (json.dumps({**TASK, "task": 10**30}).encode(), "'task' must be a whole number"),
        (json.dumps({**TASK, "attempt": 0}).encode(), "'attempt' must be a whole number"),
        (json.dumps({**TASK, "kind": ""}).encode(), "'kind' must be a text"),
        (json.dumps({**TASK, "kind": "a\0b"}).encode(), "'kind' holds a NUL"),
        (json.dumps({**TASK, "params": []}).encode(), "'params' must be an object"),
        (json.dumps({**TASK, "params": {"x": float("nan")}}).encode(), "NaN is not JSON"),
    ],
)
def test_what_is_no_task_message_is_refused_with_a_reason(body: bytes, said: str) -> None:
    with pytest.raises(BadMessage, match=said):
        TaskMessage.decode(body)


def test_a_batch_survives_the_way() -> None:
    failed = Outcome(
        task=2,
        attempt=1,
        status="FAILED",
        reason="ERROR",
        error=ErrorInfo(type="ValueError", message='"quoted"', traceback="line\nline"),
        run_seconds=0.25,
    )
    events: list[Event] = [
        Started(task=1, attempt=1),
        Outcome(task=1, attempt=1, status="FINISHED", value="nan", result='{"a":1}', run_seconds=0),
        failed,
    ]
    heartbeat = Heartbeat(
        host="h",
        pid=1,
        queues=["default"],
        concurrency=2,
        running=[1],
        kinds=[{"name": "k"}],
        environment={"python": "3"},
    )
    data = decode_batch(EventBatch(worker="w", events=events, heartbeat=heartbeat).encode())
    assert [decode_event(event) for event in data["events"]] == events
    assert decode_heartbeat(data["heartbeat"]) == heartbeat


def test_an_encoded_event_begins_with_its_head() -> None:
    outcome = Outcome(task=7, attempt=2, status="FINISHED", run_seconds=1)
    assert encode_event(outcome).startswith(event_head("OUTCOME", 7, 2))
    assert not encode_event(outcome).startswith(event_head("OUTCOME", 7, 3))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ([], "an event must be an object"),
        ({"type": "OTHER"}, "unknown event type 'OTHER'"),
        ({"type": "STARTED", "task": 1}, "'attempt'"),
        ({"type": "OUTCOME", "task": 1, "attempt": 1, "status": "RUNNING", "run_seconds": 1}, "'status'"),
        ({"type": "OUTCOME", "task": 1, "attempt": 1, "status": "FINISHED"}, "'run_seconds'"),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(event: object, said: str) -> None:
    with pytest.raises(BadMessage, match=said):
        decode_event(event)


def finished(**fields: object) -> dict[str, object]:
    return {"type": "OUTCOME", "task": 1, "attempt": 1, "status": "FINISHED", "run_seconds": 1, **fields}


@pytest.mark.parametrize("value", ["x", "1_0", "٣", " 1.5\n", "1e999", "Infinity", "NaN", "0x1", "1" * 401, ""])
def test_a_value_that_no_worker_writes_is_refused(value: str) -> None:
    with pytest.raises(BadMessage, match="'value'"):
        decode_event(finished(value=value))


@pytest.mark.parametrize("value", [0.25, -0.0, 1e-300, 1.7e308, float("nan"), float("inf"), float("-inf"), 10**300])
def test_every_number_is_a_value(value: float) -> None:
    event = decode_event(finished(value=repr(value)))
    assert isinstance(event, Outcome)
    assert event.value == repr(value)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("{not json", "must be JSON"),
        ('"\\ud800"', "lone surrogate"),
        ("[" * 5_000 + "]" * 5_000, "must be JSON"),
        ("[" * 200 + "]" * 200, "nested deeper than 100"),
        ("9" * 5_000, "must be JSON"),
        ("NaN", "must be JSON"),
        (f'"{"x" * 300_000}"', "longer than 262144"),
    ],
)
def test_a_result_that_nobody_could_show_is_refused(result: str, said: str) -> None:
    with pytest.raises(BadMessage, match=said):
        decode_event(finished(result=result))


def test_an_error_is_cut_where_workers_cut_it() -> None:
    error = {"type": "E", "message": "m" * 100_000, "traceback": "t" * 100_000}
    event = decode_event(finished(status="FAILED", error=error))
    assert isinstance(event, Outcome)
    assert event.error == ErrorInfo(type="E", message="m" * 4_096, traceback="t" * 16_384)
