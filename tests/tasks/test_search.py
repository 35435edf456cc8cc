"""The search language: what it understands, and what it says of what it does not."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.tasks.search import FIELDS, Mistake, Query, parse, written
from apps.tasks.search_values import Clock, Span

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
CLOCK = Clock(now=NOW)
BERLIN = Clock(now=NOW, zone=ZoneInfo("Europe/Berlin"))


def terms(text: str) -> list[tuple[str, tuple[Any, ...], bool]]:
    return [(term.field, term.values, term.negated) for term in parse(text, CLOCK).terms]


def bounds(text: str, clock: Clock = CLOCK) -> dict[str, Any]:
    (value,) = parse(text, clock).terms[0].values
    assert isinstance(value, Span)
    return dict(value.bounds)


def mistake(text: str) -> Mistake:
    with pytest.raises(Mistake) as found:
        parse(text, CLOCK)
    return found.value


def test_terms_stand_side_by_side_with_their_places() -> None:
    query = parse('status:failed  -kind:fit,"a b" free', CLOCK)
    assert [(term.field, term.values, term.negated) for term in query.terms] == [
        ("status", ("FAILED",), False),
        ("kind", ("fit", "a b"), True),
        ("", ("free",), False),
    ]
    assert [query.text[term.start : term.end] for term in query.terms] == ["status:failed", '-kind:fit,"a b"', "free"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a:b", None),
        ('"a:b"', "a:b"),
        ("12:30", "12:30"),
        ("a,b", "a,b"),
        (r'"say \"x\" \\"', 'say "x" \\'),
        ("é", "é"),
    ],
)
def test_what_has_no_field_is_text(text: str, word: str | None) -> None:
    if word is None:
        assert 'in quotation marks: "a:b"' in mistake(text).sentence
    else:
        assert terms(text) == [("", (word,), False)]


@pytest.mark.parametrize("value", ["plain", "with blank", 'a "quote"', "a,b", "-minus", "back\\slash", "a:b", ""])
def test_what_is_written_is_read_again(value: str) -> None:
    assert terms(written("name", value, "x")) == [("name", (value, "x"), False)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("created:2h", {"gte": NOW - timedelta(hours=2)}),
        ("created:<2h", {"gte": NOW - timedelta(hours=2)}),
        ("created:>1.5d", {"lt": NOW - timedelta(hours=36)}),
        ("created:2026-03-01", {"gte": datetime(2026, 3, 1, tzinfo=UTC), "lt": datetime(2026, 3, 2, tzinfo=UTC)}),
        ("created:>2026-03-01", {"gte": datetime(2026, 3, 2, tzinfo=UTC)}),
        ("created:<=2026-03-01", {"lt": datetime(2026, 3, 2, tzinfo=UTC)}),
        (
            "created:2026-03-01..2026-03-02T10:00",
            {"gte": datetime(2026, 3, 1, tzinfo=UTC), "lt": datetime(2026, 3, 2, 10, 1, tzinfo=UTC)},
        ),
        ("finished:>=2026-03-01T10:00:00+02:00", {"gte": datetime(2026, 3, 1, 8, tzinfo=UTC)}),
        ("ran:>10s", {"gt": 10.0}),
        ("ran:500ms..2min", {"gte": 0.5, "lte": 120.0}),
        ("value:0.25", {"exact": 0.25}),
        ("value:-1e3..0", {"gte": -1000.0, "lte": 0.0}),
        ("value:1..", {"gte": 1.0}),
        ("value:inf", {"exact": math.inf}),
        ("value:<=-Infinity", {"lte": -math.inf}),
        ("value:1..∞", {"gte": 1.0, "lte": math.inf}),
        ("ran:..2min", {"lte": 120.0}),
        ("finished:2026-03-01..", {"gte": datetime(2026, 3, 1, tzinfo=UTC)}),
        ("number:<=7", {"lte": 7.0}),
        ("id:7", {"exact": 7.0}),
        ("priority:>=-10", {"gte": -10}),
        ("priority:-5..5", {"gte": -5, "lte": 5}),
    ],
)
def test_times_durations_and_numbers_are_spans(text: str, expected: dict[str, Any]) -> None:
    assert bounds(text) == expected


def test_a_day_is_one_of_the_readers_zone_however_long() -> None:
    assert bounds("created:today", BERLIN) == {
        "gte": datetime(2026, 3, 28, 23, tzinfo=UTC),
        "lt": datetime(2026, 3, 29, 22, tzinfo=UTC),  # the clocks went forward that night
    }
    assert bounds("created:yesterday", BERLIN)["lt"] == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_what_moves_with_the_clock_says_so() -> None:
    assert [parse(text, CLOCK).moves for text in ("created:1h", "created:today", "created:2026-03-01", "x")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "part", "start"),
    [
        ("a statsu:FAILED", "There is no field “statsu”. Known: status, kind,", 2),
        ("status:FOO", "There is no status “FOO”. Known: QUEUEING, RUNNING,", 0),
        ("status:", "“status:” needs a value: QUEUEING,", 7),
        ("status: FAILED", "needs a value", 7),
        ("kind:a,", "“kind:” needs a value", 7),
        ('name:"open', "The quotation mark here is not closed.", 5),
        ("created:soon", "“soon” is no time for “created”: such as 2h", 0),
        ("created:2026-02-30", "is no time", 0),
        ("created:>999999999w", "is no time", 0),
        ("ran:5s", "say it with > or <", 0),
        ("ran:long", "“long” is no duration for “ran”", 0),
        ("value:1e400", "is no number for", 0),
        ("value:>nan", "is no number for “value”: such as 5, >3, <=0.5, 1..10, 1.., nan, inf, -inf.", 0),
        ("number:inf", "is no number for", 0),
        ("number:..", "is no number for", 0),
        ("priority:0.5", "“0.5” is no whole number for “priority”: such as 5, >0", 0),
        ("created:..", "is no time", 0),
        ("created:>2026-03-01 14:00 x", "put a T between, without a blank: >2026-03-01T14:00.", 20),
        ("name:'dry run'", 'in double quotation marks, such as name:"dry run".', 5),
        ("a - b", "missing here", 2),
        ('""', "missing here", 0),
        ("status:{field}", "There is no status “{field}”", 0),
        ("x" * 1_001, "at most 1,000 characters (this has 1,001)", 0),
        ("a\0", "no text can have", 0),
        ("a " * 21, "at most 20 terms (this has 21)", 40),
        ("kind:" + ",".join("x" * 51), "at most 50 values", 106),
    ],
)
def test_a_mistake_says_where_and_what_is_known(text: str, part: str, start: int) -> None:
    found = mistake(text)
    assert part in found.sentence
    assert found.start == start


def test_a_status_takes_the_place_of_another() -> None:
    query = parse("kind:fit status:FAILED  -status:RUNNING words", CLOCK)
    assert query.asking("status", "FINISHED") == "status:FINISHED kind:fit words"
    assert query.asking("status", None) == "kind:fit words"
    assert Query(text="", terms=()).asking("status", None) == ""


def test_each_field_says_what_it_is_for() -> None:
    assert all(field.help for field in FIELDS.values())
