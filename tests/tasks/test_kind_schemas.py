"""Which schemas a kind may be announced with."""

from typing import Any

import pytest

from apps.tasks.kind_schemas import Unusable, check, plain

LOOP = {"anyOf": [{"$ref": "#/$defs/Loop"}, {"type": "null"}]}
TREE = {"type": "object", "properties": {"left": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}}}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (None, "It must be a JSON object."),
        (True, "It must be a JSON object."),
        ({"properties": [1]}, "It is no JSON Schema at properties."),
        ({"properties": {"x": {"type": "banana"}}}, "It is no JSON Schema at properties.x.type."),
        ({"properties": {"x": {"$ref": "http://127.0.0.1:9/x"}}}, "http://127.0.0.1:9/x leads nowhere"),
        ({"properties": {"x": {"$ref": "#/$defs/Gone"}}}, "#/$defs/Gone leads nowhere"),
        ({"properties": {"x": {"$ref": "#/title"}}, "title": "t"}, "#/title leads nowhere"),
        ({"properties": {"x": {"$ref": "other.json"}}}, "other.json leads nowhere"),
        ({"$ref": "#"}, "# leads back to itself"),
        ({"$defs": {"Loop": LOOP}, "properties": {"x": {"$ref": "#/$defs/Loop"}}}, "#/$defs/Loop leads back to itself"),
        ({"$id": "http://a/", "properties": {}}, "It holds $id"),
        (nested(100), "Nested too deeply (limit 64)."),
        (nested(10_000), "Nested too deeply (limit 64)."),
        ({"maximum": 10**500}, "A whole number has at most 400 digits."),
        ({"title": "a\0b"}, "Not valid Unicode"),
    ],
)
def test_a_schema_that_cannot_be_used_says_why(schema: Any, sentence: str) -> None:
    with pytest.raises(Unusable) as error:
        check(schema)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": {"x": True, "y": False, "z": {"enum": []}, "u": {"allOf": [True]}}},
        {"properties": {"x": {"pattern": r"^\p{L}+$", "default": {"$ref": "http://a/"}}}},
        {"properties": {"$ref": {"type": "string"}, "again": {"$ref": "#"}}},
        {"$defs": {"Tree": TREE, "a/b c": {}}, "properties": {"x": TREE, "y": {"$ref": "#/$defs/a~1b%20c"}}},
        nested(60),
    ],
)
def test_odd_schemas_that_can_be_used_are(schema: dict[str, Any]) -> None:
    check(schema)


def test_a_long_way_of_pointers_is_no_circle() -> None:
    defs: dict[str, Any] = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    check({"$defs": {**defs, "d40": {"type": "integer"}}, "$ref": "#/$defs/d0"})
    with pytest.raises(Unusable, match="nested too deeply"):
        check({"$defs": {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(3_000)}, "$ref": "#/$defs/d0"})


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"$ref": "#/$defs/A", "default": "a"}, ({"enum": ["a"], "default": "a"}, False)),
        ({"allOf": [{"$ref": "#/$defs/A"}], "title": "t"}, ({"enum": ["a"], "title": "t"}, False)),
        ({"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}, ({"enum": ["a"]}, True)),
        ({"anyOf": [{"type": "null"}, {"type": "null"}]}, ({"anyOf": [{"type": "null"}, {"type": "null"}]}, False)),
        ({"$ref": "#/$defs/Loop"}, ({}, True)),
        ({"$ref": "http://a/"}, ({}, False)),
        ({"allOf": [True]}, ({}, False)),
        (True, ({}, False)),
    ],
)
def test_a_parameter_is_what_its_pointers_lead_to(schema: Any, found: Any) -> None:
    assert plain(schema, {"$defs": {"A": {"enum": ["a"]}, "Loop": LOOP}}) == found
