"""Parameters that certainly fit their kind, known by their types alone: most kinds take a few plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apps.tasks.mistakes import Checker

if TYPE_CHECKING:
    from collections.abc import Callable

# A whole float is an integer as well, and left to the checker.
_SORTS: Final[dict[str, frozenset[type]]] = {
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
}
_ANY: Final = frozenset().union(*_SORTS.values())
_CHECKED: Final = frozenset(Checker.VALIDATORS)
_OF_AN_OBJECT: Final = frozenset({"type", "properties", "required", "additionalProperties"})


def certainly(schema: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    """Whether parameters fit this schema for certain. False says nothing."""
    if not _CHECKED & schema.keys() <= _OF_AN_OBJECT or schema.get("type", "object") != "object":
        return lambda _params: False
    sorts = {name: _sorts(each) for name, each in schema.get("properties", {}).items()}
    needed = frozenset(schema.get("required", ()))

    def fits(params: dict[str, Any]) -> bool:
        for name, value in params.items():
            if name not in sorts or type(value) not in sorts[name]:
                return False
        return params.keys() >= needed

    return fits


def _sorts(schema: Any) -> frozenset[type]:
    """The types whose every value fits."""
    if not isinstance(schema, dict):
        return frozenset()
    keywords = _CHECKED & schema.keys()
    if not keywords:
        return _ANY
    if keywords == {"type"}:
        types = schema["type"]
        return frozenset().union(*(_SORTS.get(each, ()) for each in ([types] if isinstance(types, str) else types)))
    if keywords == {"anyOf"}:
        return frozenset().union(*map(_sorts, schema["anyOf"]))
    return frozenset()
