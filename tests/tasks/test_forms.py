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
        "p.grid": ["<textarea", "0.5\n1.0"],
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


@pytest.mark.parametrize("number", ["abc", "nan", "-inf", "1,5", "--1", "1_0", "٣", "0x10"])
def test_no_number_gets_a_sentence(alice: User, sde: dict[str, Kind], number: str) -> None:
    typed = f'(it is "{number}").'
    assert errors(alice, sde, p__end=number, p__paths=number) == {
        "p.end": [f"Must be a finite number, such as 2.5 {typed}"],
        "p.paths": [f"Must be a whole number, such as 42 {typed}"],
    }


@pytest.mark.parametrize(
    ("field", "number", "sentence"),
    [
        ("p__end", "1e400", 'Must be a number of at most 1.7e308 (it is "1e400").'),
        ("p__paths", "1e3", 'Must be a whole number, such as 42 (it is "1e3").'),
        ("p__paths", "2.5", 'Must be a whole number, such as 42 (it is "2.5").'),
        ("p__paths", "9" * 5_000, "A whole number has at most 400 digits (one has 5,000)."),
    ],
)
def test_a_number_that_cannot_be_kept_says_why(
    alice: User, sde: dict[str, Kind], field: str, number: str, sentence: str
) -> None:
    assert errors(alice, sde, **{field: number}) == {field.replace("__", "."): [sentence]}


@pytest.mark.parametrize(("number", "value"), [("-0", 0.0), (" 4 ", 4.0), ("1e3", 1000.0), (".5", 0.5), ("+2.", 2.0)])
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
        ('[{"a": 1, "a": 2}]', "The name 'a' stands there twice."),
        ("[" * 100 + "]" * 100, "Nested too deeply (limit 64)."),
        ("[" * 10_000, "Nested too deeply (limit 64)."),
        (f"[{'1' * 5000}]", "A whole number has at most 400 digits (one has 5,000)."),
        (f'["{"x" * 70_000}"]', "At most 65,536 bytes (it has 70,004)."),
        ('"text"', "Item 1: Must be a finite number, such as 2.5"),
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


def test_what_was_typed_for_an_unknown_kind_is_shown(alice: User, sde: dict[str, Kind]) -> None:
    form = a_form(sde, kind="gone", p__speed="3", p__end="")
    assert form.save(alice) is None
    assert {field.name: field.value() for field in form.param_fields} == {"p.speed": "3", "p.end": ""}


def test_a_parameter_of_an_older_form_is_refused_not_lost(alice: User, sde: dict[str, Kind]) -> None:
    form = a_form(sde, p__speed="3")
    assert form.save(alice) is None
    assert "There is no parameter 'speed' any more" in form.errors["p.speed"][0]
    assert form["p.speed"].value() == "3"
    task = a_form(sde, p__speed="").save(alice)
    assert task
    assert "speed" not in task.params


def test_a_link_fills_the_form_in(sde: dict[str, Kind]) -> None:
    form = TaskForm(sde, QueryDict("name=fit&kind=sde&p.paths=5"))
    assert (form["name"].value(), form["p.paths"].value()) == ("fit", "5")


def test_a_time_is_read_in_the_zone_it_was_typed_in() -> None:
    assert moment("2030-07-01T14:05", "Europe/Berlin") == datetime(2030, 7, 1, 12, 5, tzinfo=UTC)
    assert moment("2030-07-01T14:05:09", "") == datetime(2030, 7, 1, 14, 5, 9, tzinfo=UTC)
    assert moment("", "UTC") is None


def test_an_offset_that_was_typed_counts() -> None:
    assert moment("2030-01-01T00:00+05:00", "Europe/Berlin") == datetime(2029, 12, 31, 19, tzinfo=UTC)
    assert moment("2030-03-31T02:30Z", "Europe/Berlin") == datetime(2030, 3, 31, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "sentence"),
    [
        ("2030-02-31T10:00", "UTC", "Not a date and time"),
        ("9999-12-31T23:59", "America/New_York", "Not a date and time"),
        ("soon", "UTC", "Not a date and time"),
        ("2030-01-01T10:00", "Mars/Olympus", "is not known"),
        ("2030-01-01T10:00", "../../etc/passwd", "is not known"),
        ("2030-01-01T10:00", "a\0", "is not known"),
        ("2030-01-01T10:00\0", "UTC", "Not a date and time"),
        ("2030-03-31T02:30", "Europe/Berlin", "the clocks go forward"),
    ],
)
def test_a_time_that_is_none_gets_a_sentence(text: str, zone: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        moment(text, zone)


def test_a_time_for_later_is_kept(alice: User, sde: dict[str, Kind]) -> None:
    a_form(sde, run_at="2035-01-01T10:00", zone="UTC").save(alice)
    assert Task.objects.get().run_at == datetime(2035, 1, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run_at", "zone", "sentence"),
    [("2030-01-01T10:00", "a\0", "is not known"), ("9998-01-01T10:00", "UTC", "Must be within the next ten years.")],
)
def test_a_time_that_cannot_be_kept_is_told_where_it_was_typed(
    alice: User, sde: dict[str, Kind], run_at: str, zone: str, sentence: str
) -> None:
    found = errors(alice, sde, run_at=run_at, zone=zone)
    assert list(found) == ["run_at"]
    assert sentence in found["run_at"][0]


def test_limits_are_kept_or_as_the_kind_has_them(alice: User, sde: dict[str, Kind]) -> None:
    task = a_form(sde, timeout_seconds=" 1.5 ", max_attempts="3", priority=" -7 ").save(alice)
    assert task
    assert (task.timeout_seconds, task.max_attempts, task.priority) == (1.5, 3, -7)
    task = a_form(sde, timeout_seconds="", max_attempts="", priority="").save(alice)
    assert task
    assert (task.timeout_seconds, task.max_attempts, task.priority) == (None, 1, 0)


@pytest.mark.parametrize(
    ("option", "typed", "sentence"),
    [
        ("timeout_seconds", "0", "Must be from 0.001"),
        ("timeout_seconds", "700000", "to 604,800 seconds"),
        ("timeout_seconds", "a minute", "Must be a finite number"),
        ("max_attempts", "0", "Must be from 1 to 100."),
        ("max_attempts", "2.5", "Must be a whole number"),
        ("priority", "-101", "Must be a whole number from -100 to 100"),
        ("priority", "high", "Must be a whole number, such as 42"),
    ],
)
def test_a_limit_out_of_bounds_is_told_where_it_was_typed(
    alice: User, sde: dict[str, Kind], option: str, typed: str, sentence: str
) -> None:
    found = errors(alice, sde, **{option: typed})
    assert list(found) == [option]
    assert sentence in found[option][0]


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


# Kinds with odd parameters


def a_kind(**properties: Any) -> dict[str, Kind]:
    """All of them required, unless they have a default."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name, part in properties.items() if part is True or "default" not in part],
        "additionalProperties": False,
    }
    return {"odd": Kind.objects.create(name="odd", schema=schema, doc="", announced_at=timezone.now())}


def saved(user: User, kinds: dict[str, Kind], **typed: str) -> Any:
    """The parameters that the form as a browser sends it makes, with these typed over."""
    shown = TaskForm(kinds, QueryDict("kind=odd&name=n"))
    sent = {field.name: field.value() for field in shown.param_fields}
    sent = {name: value for name, value in sent.items() if value not in (None, False)}
    query = {"name": "n", "kind": "odd", **sent, **{f"p.{name}": value for name, value in typed.items()}}
    form = TaskForm(kinds, QueryDict(urlencode(query)), bound=True)
    task = form.save(user)
    return task.params if task else {name: [str(text) for text in texts] for name, texts in form.errors.items()}


@pytest.mark.parametrize(
    "part",
    [
        True,
        {"enum": []},
        {"allOf": [True]},
        {"type": ["integer", "null"]},
        {"type": "integer", "default": [None], "minimum": 10**300},
        {"type": "string", "default": True, "format": "time"},
        {"type": "string", "default": 5, "format": "date-time"},
        {"enum": [{"a": 1}, [1]], "default": "other"},
        {"type": "boolean", "default": "yes"},
    ],
)
def test_an_odd_parameter_breaks_no_page(alice: User, db: None, part: Any) -> None:
    kinds = a_kind(x=part)
    html = str(TaskForm(kinds, QueryDict("kind=odd")))
    assert 'name="p.x"' in html
    assert "None" not in html
    assert "True" not in html
    assert saved(alice, kinds, x='"typed"')


@pytest.mark.parametrize("pointer", ["#/properties/x", "#/$defs/Gone", "http://127.0.0.1:9/x"])
def test_a_kind_stored_earlier_that_cannot_be_used_breaks_no_page(alice: User, db: None, pointer: str) -> None:
    kinds = a_kind(x={"$ref": pointer})
    assert "odd" in str(TaskForm(kinds, QueryDict("kind=odd")))
    (sentence,) = saved(alice, kinds, x="5")["__all__"]
    assert sentence.startswith("The schema of odd cannot be used until a worker announces another.")


LETTER = {"anyOf": [{"enum": ["p", "q"], "type": "string"}, {"type": "null"}]}
TRUTH = {"anyOf": [{"type": "boolean"}, {"type": "null"}]}


def test_an_optional_choice_that_nobody_touched_stays_what_it_was(alice: User, db: None) -> None:
    kinds = a_kind(
        letter={**LETTER, "default": None}, known={**LETTER, "default": "q"}, truth={**TRUTH, "default": None}
    )
    assert saved(alice, kinds) == {"letter": None, "known": "q", "truth": None}
    assert saved(alice, kinds, letter='"p"', known="null", truth="false") == {
        "letter": "p",
        "known": None,
        "truth": False,
    }


def test_a_choice_without_default_must_be_made(alice: User, db: None) -> None:
    kinds = a_kind(letter=LETTER, truth=TRUTH, side={"enum": ["heads", "tails"]})
    missing = ["Fill this in: it has no default."]
    assert saved(alice, kinds) == {"p.letter": missing, "p.truth": missing, "p.side": missing}
    assert saved(alice, kinds, letter="null", truth="true", side='"edge"') == {
        "p.side": ['Must be one of heads, tails (it is "edge").']
    }


@pytest.mark.parametrize(
    ("part", "shown", "typed"),
    [
        ({"type": "string", "format": "date"}, 'type="date"', "2030-01-31"),
        ({"type": "string", "format": "date-time"}, 'type="datetime-local"', "2030-01-31T14:05"),
        (
            {"type": "string", "format": "date-time", "default": "2030-01-31T14:05:00Z"},
            'type="text"',
            "2030-02-01T00:00Z",
        ),
        ({"type": "string", "format": "time", "default": "14:05:00"}, 'type="time"', "15:00"),
        ({"type": "string", "format": "duration"}, 'type="text"', "PT5M"),
        ({"type": "string", "format": "uuid"}, 'type="text"', "12345678-1234-5678-1234-567812345678"),
    ],
)
def test_a_date_or_the_like_has_an_input_that_can_show_it(
    alice: User, db: None, part: Any, shown: str, typed: str
) -> None:
    kinds = a_kind(x=part)
    assert shown in str(TaskForm(kinds, QueryDict("kind=odd"))["p.x"])
    assert saved(alice, kinds, x=typed) == {"x": typed}
    assert saved(alice, kinds, x="not one")["p.x"][0].startswith("Must be a")
    emptied = {} if "default" in part else {"p.x": ["Fill this in: it has no default."]}
    assert saved(alice, kinds, x=" ") == emptied


def test_null_is_sent_only_where_it_was_meant(alice: User, db: None) -> None:
    number = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    kinds = a_kind(needed=number, known={**number, "default": 5}, anything={"default": 1})
    assert saved(alice, kinds, known="", anything="null") == {"needed": None, "anything": None}


def test_a_mistake_deep_inside_is_told_with_its_place(alice: User, db: None) -> None:
    kinds = a_kind(x={"properties": {"a": {"items": {"type": "integer"}}}})
    assert saved(alice, kinds, x='{"a": [1, "b"]}') == {"p.x": ['a.1: Must be a whole number (it is "b").']}


def test_a_pattern_is_shown_and_left_to_the_worker(alice: User, db: None) -> None:
    kinds = a_kind(x={"type": "string", "pattern": r"^\p{L}+$", "description": "A word"})
    assert TaskForm(kinds, QueryDict("kind=odd"))["p.x"].help_text == r"A word · pattern ^\p{L}+$"
    assert saved(alice, kinds, x="7") == {"x": "7"}
