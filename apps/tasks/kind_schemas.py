"""Kinds' JSON Schemas: which of them can be used here, and where their pointers lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, FormatChecker, SchemaError

from apps.tasks import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFS = "#/$defs/"
MOST_STEPS = 20  # from a parameter to its plain schema; pydantic needs three

_MAPS = ("properties", "$defs")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLES = ("items", "additionalProperties", "propertyNames")
_IN_PLACE = ("anyOf", "oneOf", "allOf")  # they speak of the same value as the schema that they stand in
_RENAMING = ("$id", "$anchor", "$dynamicAnchor")  # they change where a pointer leads; pydantic writes none


class Unusable(ValueError):
    """Why a schema cannot be used, in a sentence."""


def check(schema: Any) -> None:
    """Raises Unusable. Values can be checked against what passes, and a form made of it, without further care."""
    if not isinstance(schema, dict):
        raise Unusable("It must be a JSON object.")
    try:
        strict_json.check(schema)
        # Without formats: a pattern is in the dialect of the worker's engine, not in that of Python's.
        Draft202012Validator.check_schema(schema, format_checker=FormatChecker(formats=()))
        for each in _all_in(schema):
            _check_pointers(each, schema, (), set())
    except strict_json.BadJson as error:
        raise Unusable(str(error)) from None
    except SchemaError as error:
        raise Unusable(f"It is no JSON Schema at {'.'.join(map(str, error.path)) or 'its top'}.") from None
    except RecursionError:
        raise Unusable("It is nested too deeply.") from None


def plain(schema: Any, root: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The schema itself instead of a pointer to it, without "or null", and whether it had that. {}: nothing plain."""
    nullable = False
    for _ in range(MOST_STEPS):
        if not isinstance(schema, dict):
            break
        rest = {keyword: value for keyword, value in schema.items() if keyword not in ("$ref", "allOf", "anyOf")}
        others = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
        if "$ref" in schema:
            schema = _merged(_target(schema["$ref"], root), rest)
        elif len(schema.get("allOf", ())) == 1:
            schema = _merged(schema["allOf"][0], rest)
        elif len(others) == 1 and len(schema["anyOf"]) == 2:
            schema, nullable = _merged(others[0], rest), True
        else:
            return schema, nullable
    return {}, nullable


def _all_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema and every one inside it that a value may be checked against."""
    yield schema
    inside = [part for keyword in _MAPS for part in schema.get(keyword, {}).values()]
    inside += [part for keyword in _LISTS for part in schema.get(keyword, ())]
    inside += [schema.get(keyword) for keyword in _SINGLES]
    for part in inside:
        if isinstance(part, dict):
            yield from _all_in(part)


def _check_pointers(schema: Any, root: dict[str, Any], passed: tuple[str, ...], known: set[str]) -> None:
    """`passed`: the pointers that led here without a step into the value; `known`: those that end somewhere."""
    if not isinstance(schema, dict):
        return
    if renaming := next((keyword for keyword in _RENAMING if keyword in schema), None):
        raise Unusable(f"It holds {renaming}; only pointers such as {DEFS}NAME are followed here.")
    pointer = schema.get("$ref")
    if pointer in passed:
        raise Unusable(f"{pointer:.100} leads back to itself, so nothing can be checked against it.")
    if pointer is not None and pointer not in known:
        target = _target(pointer, root)
        if target is None:
            raise Unusable(f"{pointer:.100} leads nowhere; only pointers such as {DEFS}NAME are followed here.")
        _check_pointers(target, root, (*passed, pointer), known)
        known.add(pointer)
    for keyword in _IN_PLACE:
        for part in schema.get(keyword, ()):
            _check_pointers(part, root, passed, known)


def _target(pointer: str, root: dict[str, Any]) -> Any:
    """None: it leads nowhere."""
    if pointer == "#":
        return root
    name = unquote(pointer.removeprefix(DEFS))
    if not pointer.startswith(DEFS) or "/" in name:
        return None
    return root.get("$defs", {}).get(name.replace("~1", "/").replace("~0", "~"))


def _merged(schema: Any, rest: dict[str, Any]) -> Any:
    return {**schema, **rest} if isinstance(schema, dict) else None
