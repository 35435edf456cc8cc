"""What is said of parameters that do not fit their kind."""

import itertools
import re
import time
from typing import Any

import pytest
from django.utils import timezone

from apps.tasks.checks import MOST_FAULTS, faults
from apps.tasks.models import Kind

NUMBERS = itertools.count()
MODEL = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"]}
STRICT = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
CAT = {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["lives"]}
DOG = {"type": "object", "properties": {"kind": {"const": "dog"}, "name": {"type": "string"}}, "required": ["name"]}
SUM = {"type": "object", "properties": {"op": {"const": "+"}, "of": {"$ref": "#/$defs/Term"}}}
PRODUCT = {"type": "object", "properties": {"op": {"const": "*"}, "of": {"$ref": "#/$defs/Term"}}}
DEFS = {
    "Model": MODEL,
    "Term": {"anyOf": [{"$ref": "#/$defs/Sum"}, {"$ref": "#/$defs/Product"}]},
    "Sum": SUM,
    "Product": PRODUCT,
}
NULL = {"type": "null"}


def said(schema: Any, value: Any) -> list[str]:
    """Of parameter x."""
    kind = Kind(
        name=f"k{next(NUMBERS)}", schema={"$defs": DEFS, "properties": {"x": schema}}, announced_at=timezone.now()
    )
    return [": ".join([*fault.path[1:], fault.message]) for fault in faults({"x": value}, kind)]


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "string", "minLength": 1}, "", "Must have at least 1 character (it is empty)."),
        ({"type": "string", "minLength": 3}, "ab", "Must have at least 3 characters (it has 2)."),
        ({"type": "string", "maxLength": 4}, "abcde", "Must have at most 4 characters (it has 5)."),
        ({"minItems": 1}, [], "Must have at least 1 item (it is empty)."),
        ({"maxItems": 2}, [1, "a", 3], "Must have at most 2 items (it has 3)."),
        ({"minProperties": 2}, {"a": 1}, "Must have at least 2 names (it has 1)."),
        ({"uniqueItems": True}, [1, {"a": 2}, {"a": 2}], 'Nothing may stand in it twice ({"a": 2} does).'),
        ({"multipleOf": 5}, 7, "Must be a multiple of 5 (it is 7)."),
        ({"multipleOf": 0.1}, 0.35, "Must be a multiple of 0.1 (it is 0.35)."),
        ({"const": "only"}, "other", 'Must be "only" (it is "other").'),
        ({"const": True}, 1, "Must be true (it is 1)."),
        ({"enum": [None, True, "a"]}, 1, "Must be one of null, true, a (it is 1)."),
        ({"enum": []}, 1, "Must be left out: nothing fits (it is 1)."),
        ({"enum": list(range(50))}, -1, f"Must be one of {', '.join(map(str, range(20)))} and 30 more (it is -1)."),
        ({"exclusiveMaximum": 1.5}, 2, "Must be less than 1.5 (it is 2)."),
        ({"type": ["string", "null"]}, True, "Must be a text or null (it is true)."),
        ({"enum": ["p"], "type": "string"}, 5, "Must be one of p (it is 5)."),
        (STRICT, {"b": None}, "b: There is no parameter 'b' here; known are a."),
        (MODEL, {}, "a: Missing: it has no default."),
        ({"required": ["a", "b"]}, {"b": 1}, "a: Missing: it has no default."),
        ({"additionalProperties": {"type": "integer"}}, {"n": "x"}, 'n: Must be a whole number (it is "x").'),
        ({"propertyNames": {"enum": ["a"]}}, {"b": 1}, 'A name in it is wrong: Must be one of a (it is "b").'),
        ({"prefixItems": [{}], "items": {"type": "null"}}, [1, 2], "1: Must be null (it is 2)."),
        (False, None, "Nothing is allowed here (it is null)."),
    ],
)
def test_a_limit_that_is_not_kept_is_told_with_the_value(schema: Any, value: Any, sentence: str) -> None:
    assert said(schema, value) == [sentence]


@pytest.mark.parametrize(
    ("options", "value", "sentence"),
    [
        ([{"type": "integer", "minimum": 0}, NULL], -1, "Must be at least 0 (it is -1)."),
        ([{"type": "integer", "minimum": 0}, NULL], "a", 'Must be a whole number or null (it is "a").'),
        ([{"enum": ["p", "q"], "type": "string"}, NULL], "z", 'Must be one of p, q or null (it is "z").'),
        ([{"$ref": "#/$defs/Model"}, NULL], {"a": -1}, "a: Must be at least 0 (it is -1)."),
        ([{"$ref": "#/$defs/Model"}, {"type": "integer"}], "a", 'Must be an object or a whole number (it is "a").'),
        ([DOG, CAT], {"kind": "cat", "lives": "nine"}, 'lives: Must be a whole number (it is "nine").'),
    ],
)
def test_of_several_sorts_the_one_that_was_meant_is_told(options: list[Any], value: Any, sentence: str) -> None:
    assert said({"anyOf": options}, value) == [sentence]
    assert said({"oneOf": options}, value) == [sentence]


@pytest.mark.parametrize(
    ("format_", "good", "bad", "wanted"),
    [
        ("date", "2030-01-31", "2030-02-31", "a date, such as 2030-01-31"),
        ("date-time", "2030-01-31T14:05", "not a date", "a date and time, such as 2030-01-31T14:05:00Z"),
        ("time", "14:05", "25:00", "a time, such as 14:05:00"),
        ("duration", "PT5M", "soon", "a duration, such as P1DT2H30M or 02:30:00"),
        ("uuid", "12345678123456781234567812345678", "1234", "a UUID, such as 12345678-1234-5678-1234-567812345678"),
    ],
)
def test_dates_and_the_like_are_read_as_the_worker_reads_them(format_: str, good: str, bad: str, wanted: str) -> None:
    assert said({"type": "string", "format": format_}, good) == []
    assert said({"type": "string", "format": format_}, bad) == [f'Must be {wanted} (it is "{bad}").']


def test_a_fraction_may_be_a_multiple_of_a_fraction() -> None:
    assert said({"multipleOf": 0.1}, 0.3) == []
    assert said({"multipleOf": 0.1}, 10**399) == []


def test_a_pattern_is_left_to_the_worker() -> None:
    schema = {"patternProperties": {"^(a+)+$": False}, "additionalProperties": False, "pattern": "^(a+)+$"}
    assert said(schema, "a" * 50 + "b") == []
    assert said(schema, {"a" * 50 + "b": 1}) == []


def test_a_list_of_nothing_but_mistakes_is_cut() -> None:
    found = said({"items": {"type": "integer"}}, ["a"] * 10_000)
    assert len(found) == MOST_FAULTS + 1
    assert found[-1] == "These are the first 50 mistakes."


def test_no_value_keeps_the_web_busy() -> None:
    term: Any = 1
    for _ in range(60):
        term = {"op": "+", "of": term}
    began = time.thread_time()
    assert "too much to be checked" in said({"$ref": "#/$defs/Term"}, term)[0]
    said({"uniqueItems": True}, [{"a": n} for n in range(6_000)])
    assert time.thread_time() - began < 5


@pytest.mark.parametrize("pointer", ["http://127.0.0.1:9/x", "#/$defs/Gone", "#/properties/x"])
def test_a_schema_stored_earlier_that_cannot_be_used_is_one_sentence(pointer: str) -> None:
    (sentence,) = said({"$ref": pointer}, 1)
    assert re.match(r"The schema of k\d+ cannot be used until a worker announces another. ", sentence)
