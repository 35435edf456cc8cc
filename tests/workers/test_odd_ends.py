"""Whatever a handler raises or returns, its outcome can be recorded: what is encoded is accepted where it arrives."""

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from pydantic import create_model

from workers.executor import execute
from workers.messages import Outcome, TaskMessage, decode_event, encode_event
from workers.registry import Kind


class NameRaises(type):
    def __getattribute__(cls, name: str) -> Any:
        if name == "__qualname__":
            raise RuntimeError("no name")
        return super().__getattribute__(name)


class NameIsNone(type):
    def __getattribute__(cls, name: str) -> Any:
        return None if name == "__qualname__" else super().__getattribute__(name)


class OddText(str):
    __slots__ = ()

    def encode(self, *_: Any, **__: Any) -> bytes:
        return b"\0"


class TextIsOdd(Exception):
    def __str__(self) -> str:
        return OddText("odd")


class NoText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def caused_by_itself() -> Exception:
    error = ValueError("cause and effect")
    error.__cause__ = error
    return error


def of_type(name: str) -> Callable[[], Exception]:
    return lambda: type("Odd", (Exception,), {"__qualname__": name})("raised")


RAISED: dict[str, Callable[[], BaseException]] = {
    "no name": of_type(""),
    "a NUL as a name": of_type("a\0b"),
    "a lone surrogate as a name": of_type("\ud800"),
    "a name too long to keep": of_type("x" * 10_000),
    "a name that raises": lambda: NameRaises("Odd", (Exception,), {})("raised"),
    "a name that is no text": lambda: NameIsNone("Odd", (Exception,), {})("raised"),
    "a text that is odd": TextIsOdd,
    "a text that raises": NoText,
    "a text that cannot be stored": lambda: ValueError("\0 \ud800" + "x" * 1_000_000),
    "nothing to say": ValueError,
    "a group": lambda: BaseExceptionGroup("group", [ValueError("\0"), of_type("")()]),
    "a circle": caused_by_itself,
    "an interrupt": KeyboardInterrupt,
    "the end of a generator": GeneratorExit,
    "an exit": SystemExit,
    "an exit with a text": lambda: SystemExit("\0"),
    "an exit with a negative code": lambda: SystemExit(-1),
    "an exit with a huge code": lambda: SystemExit(10**10_000),
}


def made_by(name: str) -> Any:
    return type("Odd", (), {"__qualname__": name})()


class Members(Enum):
    ODD = "\0\ud800"


class Pretender:
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return float


class Endless(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no members")


RETURNED: dict[str, Any] = {
    "an object": object(),
    "an object of a type without a name": made_by(""),
    "an object of a type named NUL": made_by("\0"),
    "an object of a type named by a surrogate": [made_by("\ud800")],
    "an object of a type with a long name": made_by("x" * 100_000),
    "a NUL as a key": {"\0": made_by("\0")},
    "a key of a type named NUL": {made_by("\0"): 1},
    "a class": int,
    "a text that cannot be stored": "\0\ud800",
    "an enum": Members.ODD,
    "a text that is odd": OddText("odd"),
    "a pretender": Pretender(),
    "members that raise": Endless(x=object()),
    "no number": [float("nan"), float("inf")],
    "a huge number": 10**400,
    "a number too long to write": 10**10_000,
    "bytes": b"\0",
    "nothing": None,
}


def outcome_of(run: Callable[[], Any]) -> Outcome:
    kind = Kind(name="test.odd", doc="", queue="default", run=run, parameters=create_model("odd"))
    outcome = execute(TaskMessage(task=1, attempt=1, kind=kind.name, params={}), {kind.name: kind})
    assert decode_event(json.loads(encode_event(outcome))) == outcome
    return outcome


@pytest.mark.parametrize("odd", RAISED)
def test_the_outcome_of_whatever_is_raised_can_be_recorded(odd: str) -> None:
    def run() -> None:
        raise RAISED[odd]()

    outcome = outcome_of(run)
    assert outcome.status == "FAILED"
    assert outcome.error
    assert outcome.error.type


@pytest.mark.parametrize("odd", RETURNED)
def test_the_outcome_of_whatever_is_returned_can_be_recorded(odd: str) -> None:
    outcome_of(lambda: RETURNED[odd])
