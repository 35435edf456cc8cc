"""What stands where a value is wanted: half of the time a fitting one, else one that nobody would think of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull
from graphql_relay import to_global_id
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn

    from tests.fuzz.cast import Pool


class Bare(str):
    """In a document it stands without quotes; among variables it is a text like any other."""

    __slots__ = ()


def nested(depth: int, value: Any = 1) -> Any:
    for _ in range(depth):
        value = [value]
    return value


CURSORS = [
    *(f"at:{key}" for key in ("0", "1", "-1", "9" * 19, "9" * 30, "1~nan", "1~-inf", "1~x\0", "1~9999-12-31", "~")),
    *(f"changes:{place}" for place in ("0.0.", "1.0.0", "-1.0.0", f"{10**30}.1.1", "9" * 19, "1.x.1", "817.0.")),
    "Task:0", f"Task:{2**63}", f"Task:{10**30}", "Task:-1", "Task:٣", "User:1", "User:", ":1", "Nothing:1", "Queue:\0",
    "Queue:", "TaskKind:a\0b", "Worker:\0", "AuditEntry:1", "BulkOperation:1", "TaskKind:\ud800",
    "Worker:" + "x" * 5_000,
]  # fmt: skip
MOMENTS = [
    "2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "2026-03-01", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-03-01T12:00:00.123456789Z", "2026-W10-1", "20260301T120000Z",
    "٢٠٢٦-03-01T12:00:00Z",
    "2026-03-01T24:00:00Z", "2026-03-01T12:00:00+99:99", "0000-00-00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
]  # fmt: skip
SEARCHES = [
    "status:FAILED", "-status:FINISHED", "number:<500", "number:99999999999999999999", "created:>2h",
    "created:2026-02-30",
    "created:>99999999999d", "ran:>1e999", "value:nan", "value:>1e400", "value:<-0", "by:me", "by:", "name:", 'name:"',
    'name:"a b"', "-", ":", "::", "status:", "nothing:1", "error:x", "reason:ERROR", "queue:default", "worker:w1",
    "kind:a,b",
    "created:0001-01-01", "created:<9999-12-31", "a " * 2_000, '"' * 99, "name:" + "x" * 10_000, "*", "%",
    "number:1,2,x",
    "created:\0", "finished:1h-2h", "٣", "number:٣", "ran:>-1s", "value:1e308", "number:-1", "created:-1h",
]  # fmt: skip
TEXTS = [
    "", " ", "\0", "a\0b", "\ud800", "\udfff x", "x" * 10_000, "\u202eRTL", "\u200b", "🙂" * 300,
    "'; DROP TABLE tasks_task;--",
    "%s%n{}", "_%\\", '"', "{{7*7}}", "<script>alert(1)</script>", "../../etc/passwd", "\ufeff", "\x1b[31m", "\r\n",
    "١٢٣", "NaN",
    "1e999", "null", "-0", "9" * 500, str(2**63), "-1", "0x10", "1_000", "²", "\u2028", "a\u0301" * 200, "x" * 201,
    "\ufffd",
]  # fmt: skip
WHOLE = [0, 1, -1, 3, 100, 101, 1_000, 1_001, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63, 10**30, -(10**30)]
REAL = [0, -0.0, 1.5, 1e-320, 1e308, -1, float("inf"), float("-inf"), float("nan"), 10**400, 1e15, 3.0]
JSONS = [
    {}, {"x": 1}, {"x": {"y": [None, True, "z"]}}, [], nested(70), nested(500), {"x": nested(63)}, {"x": "\0"},
    {"\ud800": 1}, {"x": 10**500}, {"": 0}, {"x": float("nan")}, {"x": "x" * 70_000}, {str(n): n for n in range(500)},
    {"sides": 2, "failure_rate": 0.5}, {"sides": -1}, {"sides": "2"}, {"sides": 1e999}, {"code": "1 + 1"},
]  # fmt: skip
CURSOR_IDS = [to_global_id(*text.split(":", 1)) for text in CURSORS if "\ud800" not in text]
_WORDS = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(CURSOR_IDS),
    st.sampled_from([*MOMENTS, *SEARCHES]),
    st.text(st.characters(exclude_categories=()), max_size=20),
)
_IN_32_BITS = st.one_of(st.sampled_from([n for n in WHOLE if abs(n) < 2**31]), st.integers(-(2**31), 2**31 - 1))
# Of the right type, so that it comes further than the door.
HOSTILE: dict[str, st.SearchStrategy[Any]] = {
    "String": _WORDS,
    "ID": _WORDS,
    "Int": _IN_32_BITS,
    "Float": st.one_of(st.sampled_from(REAL), st.floats(allow_nan=False, allow_infinity=False)),
    "DateTime": st.one_of(st.sampled_from(MOMENTS), st.datetimes().map(lambda at: f"{at.isoformat()}Z")),
    "JSON": st.sampled_from(JSONS),
}
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    _WORDS,
    st.sampled_from([None, True, False, *WHOLE, *REAL]),
    st.sampled_from(JSONS),
    st.sampled_from(
        [Bare(word) for word in ("BANANA", "1e999", "-0.0", "00", "$nothing", '"""x\n"""', "[", "{a: 1}", "null")]
    ),
    st.integers(),
    st.floats(),
)
FITTING: dict[str, list[Any]] = {
    "Float": [0, 0.5, 1, 60, 3600.5],
    "Boolean": [True, False],
    "DateTime": MOMENTS[:1],
    "JSON": [{}, {"x": 1}, {"sides": 2}],
}
PLAIN = 10_000  # so seldom that it is never
EVENT_TYPES = ["STARTED", "OUTCOME", "RETURNED", "UNDELIVERABLE", "OUTPUT", "PROGRESS", "VANISHED", "BANANA"]


class Values:
    """Draws one for a type of the schema. `one_in`: how seldom it is none that fits."""

    def __init__(self, draw: DrawFn, pool: Pool, one_in: int) -> None:
        self._draw, self._pool, self._one_in = draw, pool, one_in

    def of(self, type_: Any, depth: int = 0) -> Any:
        if self._strange():
            return self._draw(ANYTHING)
        if isinstance(type_, GraphQLNonNull):
            return self.of(type_.of_type, depth)
        if isinstance(type_, GraphQLList):
            return [self.of(type_.of_type, depth + 1) for _ in range(self._number(3))]
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_, depth)
        if isinstance(type_, GraphQLEnumType):
            return Bare(self._one(list(type_.values)))
        return self._scalar(type_.name)

    def _object(self, type_: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        given = {
            name: self.of(field.type, depth + 1)
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull) or self._number(2) == 0
        }
        if self._strange():
            given[self._one(["unknown", "id", "__typename", "input"])] = 1
        if given and self._strange():
            del given[self._one(list(given))]
        return given

    def _scalar(self, name: str) -> Any:
        if name in HOSTILE and self._one_in < PLAIN and self._number(4) == 2:
            return self._draw(HOSTILE[name])
        if name == "Int":
            return self._one([*self._pool.numbers, 0, 1, 2, 50])
        if name == "EventBatch":
            return self._batch()
        return self._one(self._pool.texts if name == "String" else self._pool.ids if name == "ID" else FITTING[name])

    def _batch(self) -> dict[str, Any]:
        batch = {"v": 1, "worker": self._one(["w1", "w2"]), "events": [self._event() for _ in range(self._number(4))]}
        if self._number(3) == 1:
            beat = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": []}
            beat |= {"kinds": [{"name": "demo.noop", "doc": "d", "schema": {"type": "object"}, "queue": "default"}]}
            batch["heartbeat"] = self._bent(beat)
        if self._number(5) == 2:
            batch["canary"] = self._one([0, 1e9, -1, 1e300])
        return self._bent(batch)

    def _event(self) -> dict[str, Any]:
        error = {"type": "E", "message": "m", "traceback": "t"}
        event = {"type": self._one(EVENT_TYPES), "task": self._one(self._pool.numbers), "attempt": self._one([1, 2])}
        event |= {
            "status": self._one(["FINISHED", "FAILED"]),
            "run_seconds": 0.5,
            "value": self._one([None, "0.25", "nan"]),
        }
        event |= {
            "reason": self._one(["", "ERROR"]),
            "error": self._one([None, error]),
            "result": self._one([None, "[1]"]),
        }
        event |= {"position": self._one([0, 2]), "size": 2, "parts": [["stdout", "ab"]], "fraction": 0.5, "text": "t"}
        return self._bent(event)

    def _bent(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Perhaps with another value somewhere, or without one."""
        if self._strange():
            fields[self._one(list(fields))] = self._draw(ANYTHING)
        if self._strange():
            del fields[self._one(list(fields))]
        return fields

    def _strange(self) -> bool:
        return self._number(self._one_in) == self._one_in // 2  # hypothesis likes both ends of a range

    def _number(self, below: int) -> int:
        return self._draw(st.integers(0, below - 1))

    def _one(self, of: Sequence[Any]) -> Any:
        return self._draw(st.sampled_from(of))
