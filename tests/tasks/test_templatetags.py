"""Numbers, texts and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.tasks.templatetags import task_forms
from apps.tasks.templatetags.task_times import ago, iso, seconds_since
from apps.tasks.templatetags.task_values import capped, pretty_json, short_json, short_number, short_text

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.123456789", "0.1235"), ("3.0", "3"), ("0.5", "0.5"), ("12345.678", "1.235e4"), ("123456.0", "123456"),
        ("1234567.8", "1.235e6"), ("1e-09", "1e-9"), ("0.0001", "0.0001"), ("-2.5e-300", "-2.5e-300"), ("0.0", "0"),
        ("-0.0", "-0"), ("nan", "NaN"), ("inf", "∞"), ("-inf", "-∞"), ("1e+16", "1e16"), ("odd", "odd"), ("7", "7"),
    ],
)  # fmt: skip
def test_a_number_has_four_digits(value: str, shown: str) -> None:
    assert short_number(value) == shown


def test_a_long_text_is_cut_on_one_line() -> None:
    assert short_text("a\n b") == "a b"
    assert short_text(None) == ""
    assert len(short_text("x" * 1000)) == 80


def test_json_is_shown_with_its_characters() -> None:
    assert short_json('"\\u00e4"') == '"ä"'
    assert short_json('{"cut":[1,2,"a,b:') == '{"cut": [1, 2, "a,b:'
    assert short_json('{"\\"cut":  1') == '{"\\"cut": 1'
    assert pretty_json('{"a": 1}') == '{\n  "a": 1\n}'
    assert pretty_json("no json") == "no json"


def test_counts_have_a_cap() -> None:
    assert (capped(9_999, 10_000), capped(10_001, 10_000)) == ("9,999", "10,000+")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-9, "just now"), (4, "just now"), (5, "5 s ago"), (60, "1 min ago"), (7_300, "2 h ago"), (90_000, "1 d ago"),
        (4e6, "2026-01-14"),
    ],
)  # fmt: skip
def test_a_time_is_told_from_now(seconds: float, shown: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == shown


def test_a_time_is_written_for_machines_in_utc() -> None:
    assert iso(NOW) == "2026-03-01T12:00:00.000Z"


@pytest.mark.parametrize(("seconds", "shown"), [(-3, "1 s"), (0.4, "1 s"), (59.9, "59 s"), (125, "2 min 5 s")])
def test_a_duration_counts_whole_seconds(seconds: float, shown: str) -> None:
    assert seconds_since(NOW - timedelta(seconds=seconds), NOW) == shown


def test_a_docstring_is_shown_in_paragraphs_with_its_code() -> None:
    doc = "Returns `x`\nat once.\n\n  \n\nNothing else."
    assert task_forms.paragraphs(doc) == [["Returns ", "x", " at once."], ["Nothing else."]]


def test_a_sentence_that_begins_with_code_has_its_own_line() -> None:
    doc = "`a`: one\n    formula.\n    `b`: and\n    `c` another."
    assert "".join(task_forms.paragraphs(doc)[0]) == "a: one formula.\nb: and c another."
