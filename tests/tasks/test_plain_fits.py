"""What fits a schema by its types alone: whatever is said to fit for certain, the checker takes as well."""

from typing import Any

import pytest
from referencing import Registry

from apps.tasks.mistakes import Checker
from apps.tasks.plain_fits import certainly

SCHEMA = {
    "type": "object",
    "title": "Params",
    "additionalProperties": False,
    "required": ["count"],
    "properties": {
        "count": {"type": "integer", "title": "Count"},
        "share": {"type": "number", "default": 0.5},
        "name": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "is_new": {"type": ["boolean", "null"]},
        "any": {"default": None},
        "short": {"type": "string", "maxLength": 3},
        "of": {"$ref": "#/$defs/Of"},
        "none": False,
    },
    "$defs": {"Of": {"type": "integer"}},
}


@pytest.mark.parametrize(
    "params",
    [
        {"count": 1},
        {"count": 1, "share": 2, "name": None, "is_new": True, "any": "x"},
        {"count": 1, "share": 0.1, "name": "n", "is_new": None, "any": 1},
    ],
)
def test_plain_values_fit_for_certain(params: dict[str, Any]) -> None:
    assert certainly(SCHEMA)(params)
    assert not list(Checker(SCHEMA, registry=Registry()).iter_errors(params))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"share": 0.5},
        {"count": True},
        {"count": "1"},
        {"count": 1.0},  # which is one, but not for certain
        {"count": 1, "other": 1},
        {"count": 1, "name": 1},
        {"count": 1, "any": [1]},
        {"count": 1, "short": "abc"},
        {"count": 1, "of": 1},
        {"count": 1, "none": 1},
    ],
)
def test_nothing_else_does(params: dict[str, Any]) -> None:
    assert not certainly(SCHEMA)(params)


@pytest.mark.parametrize("schema", [{"type": "array"}, {"anyOf": [{"type": "object"}]}, {"minProperties": 1}])
def test_of_another_schema_nothing_is_certain(schema: dict[str, Any]) -> None:
    assert not certainly(schema)({})


def test_a_kind_without_a_schema_takes_nothing_for_certain_but_nothing() -> None:
    assert certainly({})({})
    assert not certainly({})({"x": 1})
