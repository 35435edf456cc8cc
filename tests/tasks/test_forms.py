"""The create form: every kind of parameter as a field, and what was typed as a draft or as a sentence beside it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode

from apps.tasks.drafts import Refused
from apps.tasks.forms import TaskForm, moment, selection
from apps.tasks.models import Kind, Task

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "paths": {"type": "integer", "default": 1000, "minimum": 1, "maximum": 1_000_000, "description": "How many."},
        "drift": {"type": "number", "default": 0.05},
        "antithetic": {"type": "boolean", "default": False},
        "label": {"type": "string", "default": ""},
        "scheme": {"enum": ["euler", "milstein"], "default": "euler"},
        "colour": {"$ref": "#/$defs/Colour", "default": "red"},
        "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "grid": {"type": "array", "items": {"type": "number"}, "default": [0.5, 1.0]},
        "end": {"type": "number"},
    },
    "$defs": {"Colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["end"],
    "additionalProperties": False,
}
ASKED = {"name": "fit", "kind": "sde", "p.end": "1"}


@pytest.fixture
def sde(db: None) -> dict[str, Kind]:
    return {"sde": Kind.objects.create(name="sde", schema=SCHEMA, doc="Solve it.", announced_at=timezone.now())}


def a_form(kinds: dict[str, Kind], **typed: str) -> TaskForm:
    return TaskForm(
        kinds, QueryDict(urlencode({**ASKED, **{n.replace("__", "."): v for n, v in typed.items()}})), bound=True
    )


def errors(user: User, kinds: dict[str, Kind], **typed: str) -> dict[str, list[str]]:
    form = a_form(kinds, **typed)
    assert form.save(user) is None
    return {name: [str(text) for text in texts] for name, texts in form.errors.items()}


def test_each_type_has_an_input_that_fits_it(sde: dict[str, Kind]) -> None:
    form = TaskForm(sde, QueryDict("kind=sde"))
    inputs = {field.name: str(field) for field in form.param_fields}
    for name, parts in {
        "p.paths": ['type="number"', 'min="1"', 'max="1000000"', 'step="1"', 'value="1000"', "aria-describedby"],
        "p.drift": ['type="number"', 'step="any"', 'value="0.05"'],
        "p.antithetic": ['type="checkbox"'],
        "p.label": ['type="text"'],
        "p.scheme": ["<select", "euler", "milstein"],
        "p.colour": ["<select", "red", "blue"],
        "p.seed": ['type="number"'],
        "p.grid": ["<textarea", "[0.5, 1.0]"],
        "p.end": ['type="number"', "required"],
    }.items():
        for part in parts:
            assert part in inputs[name], name


def test_what_was_typed_becomes_values_of_the_right_types(alice: User, sde: dict[str, Kind]) -> None:
    typed = {
        "p__paths": "7",
        "p__antithetic": "on",
        "p__scheme": '"milstein"',
        "p__seed": "3",
        "p__grid": "[1]",
        "p__end": "2.5",
    }
    task = a_form(sde, **typed).save(alice)
    assert task
    assert task.params == {
        "paths": 7, "antithetic": True, "label": "", "scheme": "milstein", "seed": 3, "grid": [1], "end": 2.5,
    }  # fmt: skip


def test_a_field_left_empty_is_left_to_the_handlers_default(alice: User, sde: dict[str, Kind]) -> None:
    task = a_form(sde, p__paths="", p__seed="", p__grid="").save(alice)
    assert task
    assert set(task.params) == {"antithetic", "label", "end"}


def test_a_parameter_without_default_must_be_given(alice: User, sde: dict[str, Kind]) -> None:
    assert errors(alice, sde, p__end="") == {"p.end": ["Fill this in: it has no default."]}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give the task a name."),
        ("   ", "Give the task a name."),
        ("\u200b\u2060", "Give the task a name."),
        ("x" * 201, "At most 200 characters (it has 201)."),
        ("a\0b", "Not valid Unicode: a NUL or half of a surrogate pair."),
        ("a\ud800", "Not valid Unicode: a NUL or half of a surrogate pair."),
        ("a\u202eb", "Control characters are not allowed in a name."),
        ("a\x07b", "Control characters are not allowed in a name."),
    ],
)
def test_a_bad_name_gets_a_sentence(alice: User, sde: dict[str, Kind], name: str, sentence: str) -> None:
    query = QueryDict(urlencode({**ASKED, "name": ""}), mutable=True)
    query["name"] = name
    form = TaskForm(sde, query, bound=True)
    assert form.save(alice) is None
    assert form.errors == {"name": [sentence]}


@pytest.mark.parametrize("number", ["abc", "1e400", "nan", "inf", "1,5", "--1"])
def test_no_number_gets_a_sentence(alice: User, sde: dict[str, Kind], number: str) -> None:
    assert errors(alice, sde, p__end=number) == {"p.end": ["Enter a number."]}


@pytest.mark.parametrize(("number", "value"), [("-0", 0.0), ("٣", 3.0), (" 4 ", 4.0), ("1e3", 1000.0)])
def test_odd_numbers_that_are_some_are_taken(alice: User, sde: dict[str, Kind], number: str, value: float) -> None:
    task = a_form(sde, p__end=number).save(alice)
    assert task
    assert task.params["end"] == value


@pytest.mark.parametrize(
    ("json", "sentence"),
    [
        ("[1, 2", "Not JSON: Expecting ',' delimiter in line 1, column 6."),
        ("[\n1,\n]", "in line 3, column 1."),
        ("[NaN]", "NaN and Infinity are not JSON numbers."),
        ("[1e999]", "NaN and Infinity are not JSON numbers."),
        ('{"a": 1, "a": 2}', "The name 'a' stands there twice."),
        ("[" * 100 + "]" * 100, "Nested too deeply (limit 64)."),
        ("[" * 10_000, "Nested too deeply (limit 64)."),
        (f"[{'1' * 5000}]", "A whole number has at most 400 digits (one has 5000)."),
        (f'["{"x" * 70_000}"]', "At most 64 KiB (it has 68 KiB)."),
        ('"text"', "Must be a list"),
    ],
)
def test_bad_json_gets_a_sentence(alice: User, sde: dict[str, Kind], json: str, sentence: str) -> None:
    found = errors(alice, sde, p__grid=json)
    assert sentence in found["p.grid"][0]


def test_everything_that_is_wrong_is_said_at_once(alice: User, sde: dict[str, Kind]) -> None:
    assert set(errors(alice, sde, name="", p__paths="0", p__scheme='"magic"', p__end="x")) >= {
        "name",
        "p.scheme",
        "p.end",
    }


def test_the_services_problems_stand_beside_their_fields(alice: User, sde: dict[str, Kind]) -> None:
    found = errors(alice, sde, p__paths="0", p__grid='["a"]')
    assert found["p.paths"] == ["Must be at least 1 (it is 0)."]
    assert "Must be a number" in found["p.grid"][0]


def test_an_unknown_kind_names_the_known_ones(alice: User, sde: dict[str, Kind]) -> None:
    assert errors(alice, sde, kind="gone") == {"kind": ["There is no kind 'gone'. Kinds: sde."]}


def test_a_parameter_of_an_older_form_is_refused_not_lost(alice: User, sde: dict[str, Kind]) -> None:
    assert "Unknown parameter 'speed'" in errors(alice, sde, p__speed="3")["__all__"][0]


def test_a_link_fills_the_form_in(sde: dict[str, Kind]) -> None:
    form = TaskForm(sde, QueryDict("name=fit&kind=sde&p.paths=5"))
    assert (form["name"].value(), form["p.paths"].value()) == ("fit", "5")


def test_a_time_is_read_in_the_zone_it_was_typed_in() -> None:
    assert moment("2030-07-01T14:05", "Europe/Berlin") == datetime(2030, 7, 1, 12, 5, tzinfo=UTC)
    assert moment("2030-07-01T14:05:09", "") == datetime(2030, 7, 1, 14, 5, 9, tzinfo=UTC)
    assert moment("", "UTC") is None


@pytest.mark.parametrize(
    ("text", "zone", "sentence"),
    [
        ("2030-02-31T10:00", "UTC", "Not a date and time"),
        ("9999-12-31T23:59", "America/New_York", "Not a date and time"),
        ("soon", "UTC", "Not a date and time"),
        ("2030-01-01T10:00", "Mars/Olympus", "is not known"),
        ("2030-01-01T10:00", "../../etc/passwd", "is not known"),
        ("2030-03-31T02:30", "Europe/Berlin", "the clocks go forward"),
    ],
)
def test_a_time_that_is_none_gets_a_sentence(text: str, zone: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        moment(text, zone)


def test_a_time_for_later_is_kept(alice: User, sde: dict[str, Kind]) -> None:
    a_form(sde, run_at="2035-01-01T10:00", zone="UTC").save(alice)
    assert Task.objects.get().run_at == datetime(2035, 1, 1, 10, tzinfo=UTC)


def test_a_selection_is_numbers() -> None:
    assert selection(["1", "22"]) == [1, 22]


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([], "Choose at least one task"),
        (["1", "x"], "Something else"),
        (["1"] * 1001, "At most 1,000"),
        (["9" * 30], "else"),
    ],
)
def test_a_selection_of_anything_else_is_refused(texts: list[str], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        selection(texts)
