"""What a handler returns becomes a number and JSON, and nothing it returns breaks the worker."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from pydantic import BaseModel

from workers.messages import MAX_RESULT_BYTES as MAX_BYTES
from workers.returned import NotSerialisable, TooLarge, to_wire


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    near: list[float]


class Model(BaseModel):
    when: date


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("returned", "value", "result"),
    [
        (None, None, None),
        (0.1, "0.1", None),
        (float("nan"), "nan", None),
        (float("-inf"), "-inf", None),
        (np.float64(0.5), "0.5", None),
        (np.float32(0.5), "0.5", None),
        (5, "5", "5"),
        (2**70, "1180591620717411303424", "1180591620717411303424"),
        (np.int64(7), "7", "7"),
        (True, None, "true"),
        (np.bool_(False), None, "false"),
        (10**400, None, "1" + "0" * 400),
        ("text", None, '"text"'),
    ],
)
def test_numbers_have_a_value_and_whole_ones_stay_exact(returned: Any, value: str | None, result: str | None) -> None:
    assert to_wire(returned) == (value, result)


@pytest.mark.parametrize(
    ("returned", "shown"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        ([float("nan"), float("inf"), {"x": float("-inf")}], ["NaN", "Infinity", {"x": "-Infinity"}]),
        (np.array([[1.5, float("nan")]]), [[1.5, "NaN"]]),
        ({"array": np.arange(3), "scalar": np.float32(1.5)}, {"array": [0, 1, 2], "scalar": 1.5}),
        ((1, {3, 2}), [1, [2, 3]]),
        (Point(1, [0.5]), {"x": 1, "near": [0.5]}),
        (Model(when=date(2026, 1, 2)), {"when": "2026-01-02"}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ([timedelta(minutes=1), Decimal("1.10"), UUID(int=1)], [60.0, "1.10", str(UUID(int=1))]),
        ({Colour.RED: PurePosixPath("/a")}, {"red": "/a"}),
        ({1: "a", None: "b", date(2026, 1, 2): "c"}, {"1": "a", "null": "b", "2026-01-02": "c"}),
        ("a\0b\ud800", "a\\x00b\\ud800"),
        (nested(99), nested(99)),
    ],
)
def test_other_things_become_plain_json(returned: Any, shown: Any) -> None:
    value, result = to_wire(returned)
    assert value is None
    assert json.loads(result or "") == shown


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (object(), r"an object \(at result\)"),
        ({"a": [1, b"x"]}, r"a bytes \(at result\['a'\]\[1\]\) .* base64"),
        ((each for each in [1]), "a generator"),
        ({("a", "b"): 1}, "a tuple as a key of result"),
        (endless(), "contains itself"),
        (nested(10_000), "nested deeper than 100 levels"),
        (nested(101), "nested deeper than 100 levels"),
        ([10**5_000], "more than 4,300 digits"),
        ({"a": 10**5_000}, "more than 4,300 digits"),
    ],
)
def test_what_has_no_form_in_json_is_named_with_its_place(returned: Any, said: str) -> None:
    with pytest.raises(NotSerialisable, match=said):
        to_wire(returned)


@pytest.mark.parametrize(
    "returned",
    [
        "x" * MAX_BYTES,
        "ü" * (MAX_BYTES // 2),
        np.zeros(10_000_000),
        ["x"] * 100_000,
        range(10**9),
        [range(10**5)] * 99,
    ],
)
def test_what_is_too_large_is_refused_with_size_limit_and_hint(returned: Any) -> None:
    with pytest.raises(TooLarge, match=r"at most 262,144 bytes are kept\. Store it elsewhere"):
        to_wire(returned)


def test_the_largest_text_that_fits_is_kept() -> None:
    assert to_wire("x" * (MAX_BYTES - 2))[1] == '"' + "x" * (MAX_BYTES - 2) + '"'
