"""Parameters that are one of several models: a button for each, and fields of its own."""

import re
from typing import Annotated, Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from pydantic import BaseModel, Field

from apps.tasks.forms import TaskForm
from tests.tasks.rows import a_task
from tests.tasks.type_cases import Cat, Dog, Grid, Missing, Tree, a_handler, announced, html_of, saved

Pet = Annotated[Cat | Dog, Field(discriminator="sort")]
CAT, DOG = '"Cat"', '"Dog"'
HIDDEN = {"x.Cat.lives": "not even a number"}  # what is typed for the other one


class Circle(BaseModel):
    radius: float = Field(gt=0)


class Square(BaseModel):
    side: float = Field(gt=0)
    grid: Grid = Grid(1)


class Odd(BaseModel):
    model_config = {"title": "an odd one"}
    x: int


@pytest.mark.parametrize(("annotation", "buttons"), [(Cat | Dog, 2), (Pet, 2), (Pet | None, 3), (Cat | Dog | None, 3)])
def test_the_model_that_is_chosen_is_given(alice: User, annotation: Any, buttons: int) -> None:
    kinds = announced(handler := a_handler(annotation))
    html = html_of(kinds)
    assert html.count('type="radio"') == buttons
    assert "sort" not in html  # which says no more than the button
    assert html.count("checked") == buttons - 2
    params = saved(alice, kinds, **{"x": DOG, "x.Dog.name": "Rex"}, **HIDDEN)
    assert params == {"x": {"sort": "dog", "name": "Rex"}}
    assert handler.validated(params)["x"] == Dog(name="Rex")


def test_none_of_them_is_the_default_or_a_mistake(alice: User) -> None:
    assert saved(alice, announced(a_handler(Pet)), **HIDDEN) == {"p.x": ["Choose one: it has no default."]}
    assert saved(alice, announced(a_handler(Pet | None)), x="") == {"x": None}
    assert saved(alice, announced(a_handler(Pet | None, Dog(name="a"))), x="", **HIDDEN) == {"x": None}
    kept = saved(alice, announced(handler := a_handler(Pet, Dog(name="a"))))
    assert handler.validated(kept)["x"] == Dog(name="a")


@pytest.mark.parametrize(
    ("annotation", "typed", "mistakes"),
    [
        (Pet, {"x": CAT}, {"p.x.Cat.lives": ["Fill this in: it has no default."]}),
        (
            Pet,
            {"x": CAT, "x.Cat.lives": "many"},
            {"p.x.Cat.lives": ['Must be a whole number, such as 42 (it is "many").']},
        ),
        (Circle | Square, {"x": '"Square"'}, {"p.x.Square.side": ["Fill this in: it has no default."]}),
        (
            Circle | Square,
            {"x": '"Square"', "x.Square.side": "-1"},
            {"p.x.Square.side": ["Must be more than 0 (it is -1.0)."]},
        ),
        (
            Circle | Square,
            {"x": '"Square"', "x.Square.side": "1", "x.Square.grid.width": "w"},
            {"p.x.Square.grid.width": ['Must be a whole number, such as 42 (it is "w").']},
        ),
    ],
)
def test_what_is_wrong_stands_at_the_field_of_the_chosen_one(
    alice: User, annotation: Any, typed: dict[str, str], mistakes: dict[str, list[str]]
) -> None:
    assert saved(alice, announced(a_handler(annotation)), **typed) == mistakes


@pytest.mark.parametrize("default", [Missing, Cat(lives=1)])
def test_a_link_and_a_task_run_before_choose_too(alice: User, default: Any) -> None:
    kinds = announced(a_handler(Pet, default))
    html = html_of(kinds, "p.x=Dog&p.x.Dog.name=Rex")
    assert re.findall(r'value="&quot;(\w+)&quot;"[^>]*checked', html) == ["Dog"]
    assert 'value="Rex"' in html
    (name,) = kinds
    before = a_task(alice, kind=name, params={"x": {"sort": "dog", "name": "Max"}})
    form = TaskForm(kinds, QueryDict(f"kind={name}"), like=before)
    assert (form["p.x"].value(), form["p.x.Dog.name"].value(), form["p.x.Cat.lives"].value()) == (DOG, "Max", None)


@pytest.mark.parametrize(
    ("annotation", "query"),
    [
        (Pet, 'p.x={"sort": "dog", "name": "Rex"}'),
        (Pet, "p.x=Cow"),
        (Cat | int, ""),
        (Cat | Odd, ""),
        (list[Pet], ""),
        (Tree | Dog, ""),
    ],
)
def test_what_has_no_such_fields_is_json(db: None, annotation: Any, query: str) -> None:
    assert '<textarea name="p.x' in html_of(announced(a_handler(annotation)), query)
