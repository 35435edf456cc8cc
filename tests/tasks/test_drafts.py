from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.tasks.drafts import Draft, Refused, cleaned
from apps.tasks.models import Kind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOBODY = AnonymousUser()


def faults(kinds: dict[str, Kind], name: str = "a", kind: str = "demo.noop", params: Any = None) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        cleaned(Draft(name=name, kind=kind, params={} if params is None else params), kinds, NOW, NOBODY)
    return {".".join(problem.field): problem.message for problem in refused.value.problems}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "\u200b\u200d",
        "\t\n",
        "\u2060",
        "\u3164",
        "\u2800",
        "\u115f\u1160",
        "\uffa0",
        "\u0301",
        " \u0301\ufe0f",
    ],
)
def test_a_name_of_nothing_visible_is_blank(kinds: dict[str, Kind], name: str) -> None:
    assert faults(kinds, name=name) == {"name": "Give the task a name."}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 201, "At most 200 characters (it has 201)."),
        ("a\0b", "Not valid Unicode: a NUL or half of a surrogate pair."),
        ("a\ud800", "Not valid Unicode: a NUL or half of a surrogate pair."),
        ("a\ufffd", "Not valid Unicode: \ufffd stands where it could not be read. Type it anew."),
        ("a\u202eb", "Control characters are not allowed in a name."),
        ("a\x07b", "Control characters are not allowed in a name."),
        ("a\nb", "Control characters are not allowed in a name."),
    ],
)
def test_a_name_that_cannot_be_kept_says_why(kinds: dict[str, Kind], name: str, message: str) -> None:
    assert faults(kinds, name=name) == {"name": message}


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}}", "日本語", "👩\u200d🔬 fit", "e\u0301"])
def test_odd_names_are_kept(kinds: dict[str, Kind], name: str) -> None:
    assert cleaned(Draft(name=name, kind="demo.noop"), kinds, NOW, NOBODY).name in (name, "é")


def test_an_unknown_kind_is_answered_with_the_known_ones(kinds: dict[str, Kind]) -> None:
    assert faults(kinds, kind="nope") == {"kind": "There is no kind 'nope'. Kinds: demo.noop, demo.coin."}
    assert "is a worker running?" in faults({}, kind="nope")["kind"]
    assert faults(kinds, kind="") == {"kind": "Choose a kind."}


@pytest.mark.parametrize(
    ("params", "path", "message"),
    [
        ([], "params", 'The parameters must be a JSON object, such as {"x": 1}.'),
        ({}, "params.sides", "Missing: it has no default."),
        ({"sides": 2.5}, "params.sides", "Must be a whole number (it is 2.5)."),
        ({"sides": True}, "params.sides", "Must be a whole number (it is true)."),
        ({"sides": 1}, "params.sides", "Must be more than 1 (it is 1)."),
        ({"sides": 2, "failure_rate": 2}, "params.failure_rate", "Must be at most 1 (it is 2)."),
        ({"sides": 2, "failure_rate": float("nan")}, "params", "NaN and Infinity are not JSON numbers."),
        ({"sides": 2, "side": "edge"}, "params.side", 'Must be one of heads, tails (it is "edge").'),
        (
            {"sides": 2, "edges": 1},
            "params.edges",
            "There is no parameter 'edges' here; known are failure_rate, sides, side.",
        ),
    ],
)
def test_parameters_are_checked_against_the_kinds_schema(
    kinds: dict[str, Kind], params: Any, path: str, message: str
) -> None:
    assert faults(kinds, kind="demo.coin", params=params) == {path: message}


def test_parameters_of_any_shape_have_a_limit(kinds: dict[str, Kind]) -> None:
    deep: Any = 1
    for _ in range(10_000):
        deep = [deep]
    assert faults(kinds, params={"x": deep}) == {"params": "Nested too deeply (limit 64)."}
    assert faults(kinds, params={"x": "y" * 70_000}) == {
        "params": "The parameters may have at most 65,536 bytes (they have 70,009)."
    }
    assert faults(kinds, params={"x": 10**5000}) == {"params": "A whole number has at most 400 digits."}
    assert faults(kinds, params={"x": ["\ud800"]}) == {
        "params": "Not valid Unicode: a NUL or half of a surrogate pair."
    }


def test_a_time_is_within_ten_years(kinds: dict[str, Kind]) -> None:
    latest = NOW + timedelta(days=3_650)
    assert cleaned(Draft(name="n", kind="demo.noop", run_at=latest), kinds, NOW, NOBODY).run_at == latest
    with pytest.raises(Refused, match="Must be within the next ten years") as refused:
        cleaned(Draft(name="n", kind="demo.noop", run_at=latest + timedelta(seconds=1)), kinds, NOW, NOBODY)
    assert refused.value.problems[0].field == ("run_at",)


def test_everything_wrong_is_said_at_once(kinds: dict[str, Kind]) -> None:
    assert set(faults(kinds, name="", kind="demo.coin", params={"sides": 0})) == {"name", "params.sides"}
