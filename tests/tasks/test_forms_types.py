"""Every type that a handler's parameter may have: its input, what is typed into it, and what the handler then gets."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from pydantic import AwareDatetime, Field, HttpUrl, SecretStr

from apps.tasks.forms import TaskForm
from apps.tasks.hints import limits
from tests.tasks.type_cases import (
    Cat,
    Colour,
    Dog,
    Grid,
    Level,
    Missing,
    Plate,
    Point,
    Tree,
    a_handler,
    announced,
    html_of,
    saved,
)

AN_ID = "12345678-1234-5678-1234-567812345678"
STEEL = {"thickness": 2.0, "material": "steel", "grid": {"width": 4, "height": 3}}


@pytest.mark.parametrize(
    ("annotation", "default", "html", "typed", "value"),
    [
        (int, Missing, 'type="number"', "42", 42),
        (int, 7, 'value="7"', "", Missing),
        (float, Missing, 'step="any"', "1e3", 1000.0),
        (str, Missing, 'type="text"', " as typed ", " as typed "),
        (str, "", 'type="text"', "", ""),
        (bool, False, 'type="checkbox"', "on", True),
        (bool, True, "checked", None, False),
        (date, Missing, 'type="date"', "2030-01-31", date(2030, 1, 31)),
        (datetime, Missing, 'type="datetime-local"', "2030-01-31T14:05", datetime(2030, 1, 31, 14, 5)),  # noqa: DTZ001
        (AwareDatetime, Missing, 'type="text"', "2030-01-31T14:05:00Z", datetime(2030, 1, 31, 14, 5, tzinfo=UTC)),
        (time, time(8, 30), 'type="time"', "09:00", time(9)),
        (timedelta, Missing, 'type="text"', "02:30:00", timedelta(hours=2, minutes=30)),
        (UUID, Missing, 'type="text"', AN_ID, UUID(AN_ID)),
        (Decimal, Missing, 'inputmode="decimal"', "12.50", Decimal("12.50")),
        (Decimal, Decimal("0.1"), 'value="0.1"', "0.10000000000000000000001", Decimal("0.10000000000000000000001")),
        (Path, Path("/srv"), 'value="/srv"', "/var/a b", Path("/var/a b")),
        (HttpUrl, Missing, 'inputmode="url"', "https://example.org/", HttpUrl("https://example.org/")),
        (SecretStr, Missing, 'type="password"', "secret", SecretStr("secret")),
        (Colour, Colour.BLUE, "selected>blue", '"red"', Colour.RED),
        (Level, Level.LOW, "LOW (1)", "2", Level.HIGH),
        (Literal["a", 1, None], Missing, "choose one", "1", 1),
        (int | None, None, 'placeholder="none"', "", Missing),
        (int | None, Missing, 'type="number"', "", None),
        (bool | None, None, "<select", "true", True),
        (int | float, Missing, 'type="number"', "2.5", 2.5),
        (int | str, Missing, "a whole number or a text", "5", 5),
        (int | str, "7", "&quot;7&quot;", '"5"', "5"),
        (int | str, Missing, 'type="text"', "five", "five"),
        (int | Literal["auto"], "auto", 'value="auto"', "3", 3),
        (bool | int | None, 3, "a whole number", "true", True),
        (date | datetime, Missing, "such as 2030-01-31 or 2030-01-31T14:05:00Z", "2030-01-31", date(2030, 1, 31)),
        (list[float], [0.5, 1.0], "\n0.5\n1.0</textarea>", "1\n\n 2.5 \n", [1.0, 2.5]),
        (list[int], Missing, "one per line", "[1, 2]", [1, 2]),
        (list[str], ["a"], "one per line", "b b\r\n[c\r\n", ["b b", "[c"]),
        (list[str], ["a\nb"], "[&quot;a\\nb&quot;]", '["", " "]', ["", " "]),
        (list[str], [], "</textarea>", "", Missing),
        (list[date], Missing, "one per line", "2030-01-31\n2030-02-01", [date(2030, 1, 31), date(2030, 2, 1)]),
        (list[int | str], Missing, "one per line", "1\na", [1, "a"]),
        (list[Colour], [Colour.RED], "checked", ['"red"', '"blue"'], [Colour.RED, Colour.BLUE]),
        (list[Literal["a", "b"]], ["a"], 'type="checkbox"', None, []),
        (list[Literal["a", "b"]], ["b", "a"], "<textarea", '["b", "b"]', ["b", "b"]),
        (set[Literal["a", "b"]], {"b", "a"}, 'type="checkbox"', ['"b"'], {"b"}),
        (set[int], Missing, "none twice", "1\n2", {1, 2}),
        (tuple[int, ...], (1, 2), "\n1\n2</textarea>", "3", (3,)),
        (dict[str, float], {"a": 1.0}, "{&quot;a&quot;: 1.0}", '{"b": 2}', {"b": 2.0}),
        (list[Grid], Missing, "JSON", '[{"width": 1}]', [Grid(1)]),
        (Cat | Dog, Missing, 'type="radio"', '{"sort": "dog", "name": "Rex"}', Dog(name="Rex")),
        (Any, Missing, "<textarea", "[null]", [None]),
    ],
)
def test_what_is_typed_reaches_the_handler_as_what_it_asked_for(  # noqa: PLR0917
    alice: User, annotation: Any, default: Any, html: str, typed: Any, value: Any
) -> None:
    handler = a_handler(annotation, default)
    kinds = announced(handler)
    assert html in html_of(kinds)
    params = saved(alice, kinds, x=typed)
    if value is Missing:
        assert params == {}
        value = default
    given = handler.validated(params)["x"]
    assert (given, type(given)) == (value, type(value))


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (int, 7), (float, 0.1), (str, "a\nb"), (bool, True), (date, date(2030, 1, 31)), (Path, Path("/srv")),
        (datetime, datetime(2030, 1, 31, 14, 5, 1, 5, tzinfo=UTC)), (time, time(8, 30, 1, 5)), (UUID, UUID(AN_ID)),
        (timedelta, timedelta(days=2, seconds=0.5)), (Decimal, Decimal("1.50")), (Colour, Colour.BLUE),
        (Level, Level.HIGH), (int | None, None), (int | str, "7"), (int | str, ""), (list[str], [" a", ""]),
        (list[Level], [Level.HIGH, Level.LOW]), (set[Colour], {Colour.BLUE, Colour.RED}), (tuple[int, str], (1, "a")),
        (dict[str, int], {}), (Plate, Plate(material="brass", holes=[1])), (Plate | None, None), (Point, Point(1, 2)),
        (Plate | None, Plate(material="steel")), (list[Grid], [Grid(1)]), (Tree, Tree(name="a", left=Tree(name="b"))),
    ],
)  # fmt: skip
def test_a_default_that_nobody_touched_stays_what_it_is(alice: User, annotation: Any, default: Any) -> None:
    handler = a_handler(annotation, default)
    params = saved(alice, announced(handler))
    assert handler.validated(params)["x"] == default


@pytest.mark.parametrize(
    ("annotation", "typed", "sentence"),
    [
        (date, "2030-02-31", 'Must be a date, such as 2030-01-31 (it is "2030-02-31").'),
        (time, "25:00", "Must be a time, such as 14:05:00"),
        (timedelta, "soon", "Must be a duration, such as"),
        (UUID, "1234", "Must be a UUID, such as"),
        (Decimal, "1,5", 'Must be a decimal number, such as 12.50 (it is "1,5").'),
        (Annotated[Decimal, Field(ge=0)], "-1", "Must be at least 0.0 (it is -1)."),
        (int | bool, "maybe", 'Must be a whole number or true or false (it is "maybe").'),
        (Colour, '"pink"', 'Must be one of red, blue (it is "pink").'),
        (list[int], "1\nb\n2.5", 'Item 2: Must be a whole number, such as 42 (it is "b").'),
        (list[Annotated[int, Field(ge=0)]], "1\n\n-1", "Item 2: Must be at least 0 (it is -1)."),
        (list[int], "", "Fill this in: it has no default; [] is none at all."),
        (list[Colour], ['"red"', '"pink"'], 'Must be one of red, blue (it is "pink").'),
        (set[int], "1\n1", "Nothing may stand in it twice (1 does)."),
        (Annotated[list[int], Field(max_length=1)], "1\n2", "Must have at most 1 item (it has 2)."),
        (Annotated[float, Field(multiple_of=0.5)], "0.7", "Must be a multiple of 0.5 (it is 0.7)."),
        (Annotated[str, Field(min_length=3)], "ab", "Must have at least 3 characters (it has 2)."),
        (bool, "maybe", 'Must be true or false (it is "maybe").'),
        (list[Grid], '[{"width": "a"}]', '0.width: Must be a whole number (it is "a").'),
    ],
)
def test_what_does_not_fit_is_told_at_its_field_and_stays(
    alice: User, annotation: Any, typed: Any, sentence: str
) -> None:
    kinds = announced(a_handler(annotation))
    found = saved(alice, kinds, x=typed)
    assert list(found) == ["p.x"]
    assert sentence in found["p.x"][0]


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        (Field(ge=0, le=10_000, description="How far"), ["How far · 0 to 10,000"]),
        (Field(gt=0), ["more than 0"]),
        (Field(lt=5, multiple_of=2), ["less than 5 · a multiple of 2"]),
        (Field(examples=[3]), ['placeholder="such as 3"']),
        (Field(json_schema_extra={"unit": "mm"}), []),
    ],
)
def test_the_limits_stand_beside_the_input(db: None, field: Any, parts: list[str]) -> None:
    html = html_of(announced(a_handler(Annotated[int, field])))
    assert all(part in html for part in parts), html


@pytest.mark.parametrize(
    ("field", "part"),
    [
        (Field(max_length=5_000), "<textarea"),
        (Field(json_schema_extra={"widget": "textarea"}), "<textarea"),
        (Field(json_schema_extra={"widget": "code"}), 'class="code long"'),
        (Field(json_schema_extra={"widget": "password"}), 'type="password"'),
        (Field(min_length=2, max_length=4, pattern="^a"), "2 to 4 characters · pattern ^a"),
        (Field(title="Its colour"), ""),
    ],
)
def test_a_text_has_the_input_that_was_asked_for(db: None, field: Any, part: str) -> None:
    assert part in html_of(announced(a_handler(Annotated[str, field])))


# Models


def test_a_model_is_a_group_of_fields_of_its_own(alice: User) -> None:
    kinds = announced(a_handler(Plate))
    html = html_of(kinds)
    for name in ("p.x.thickness", "p.x.material", "p.x.grid.width", "p.x.grid.height", "p.x.holes"):
        assert f'name="{name}"' in html
    typed = {"x.material": '"brass"', "x.grid.width": "9", "x.holes": "1\n2"}
    assert saved(alice, kinds, **typed) == {
        "x": {"thickness": 2.0, "material": "brass", "grid": {"width": 9, "height": 3}, "holes": [1, 2]}
    }


def test_every_mistake_in_a_model_stands_at_its_own_field(alice: User) -> None:
    kinds = announced(a_handler(Plate))
    assert saved(alice, kinds, **{"x.thickness": "thin", "x.material": "", "x.grid.width": "1.5"}) == {
        "p.x.thickness": ['Must be a finite number, such as 2.5 (it is "thin").'],
        "p.x.material": ["Fill this in: it has no default."],
        "p.x.grid.width": ['Must be a whole number, such as 42 (it is "1.5").'],
    }


def test_a_model_that_may_be_left_out_is_ticked_to_be_given(alice: User) -> None:
    kinds = announced(a_handler(Plate | None, None))
    assert "required" not in html_of(kinds)
    assert saved(alice, kinds, **{"x.thickness": "not even a number"}) == {"x": None}
    assert saved(alice, kinds, **{"x": "on", "x.material": '"steel"'}) == {"x": STEEL}
    assert list(saved(alice, kinds, x="on")) == ["p.x.material"]


def test_a_tuple_has_a_field_for_each_of_its_items(alice: User) -> None:
    kinds = announced(a_handler(tuple[int, str], (1, "a")))
    assert saved(alice, kinds, **{"x.0": "5"}) == {"x": [5, "a"]}
    assert saved(alice, kinds, **{"x.0": "five"}) == {"p.x.0": ['Must be a whole number, such as 42 (it is "five").']}


def test_a_named_tuples_fields_have_their_names(db: None) -> None:
    kinds = announced(a_handler(Point))
    form = TaskForm(kinds, QueryDict(f"kind={next(iter(kinds))}"))
    assert [field.label for field in form.param_fields] == ["X", "Y"]


def test_a_model_in_itself_ends_in_json(alice: User) -> None:
    kinds = announced(a_handler(Tree))
    html = html_of(kinds)
    assert 'name="p.x.name"' in html
    assert '<textarea name="p.x.left"' in html
    assert saved(alice, kinds, **{"x.name": "a", "x.left": '{"name": "b"}'}) == {
        "x": {"name": "a", "left": {"name": "b"}}
    }


def test_json_is_taken_for_a_model_too(alice: User) -> None:
    kinds = announced(a_handler(Plate))
    html = html_of(kinds, 'p.x={"material": "tin"}')
    assert '<textarea name="p.x"' in html
    assert "Must be one of steel, brass" in html
    fields = dict.fromkeys(("x.thickness", "x.material", "x.grid.width", "x.grid.height", "x.holes"))
    assert saved(alice, kinds, x='{"material": "steel"}', **fields) == {"x": {"material": "steel"}}


def test_the_bounds_of_a_number_are_written_as_those_of_a_whole_one() -> None:
    assert limits({"minimum": -1_000_000.0, "maximum": 12345.5}, {}, None) == "-1,000,000 to 12,345.5"
    assert limits({"minimum": -1_000_000, "maximum": 1e300}, {}, None) == "-1,000,000 to 1e+300"
