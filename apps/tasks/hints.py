"""What a parameter's schema wants, in few words and as an example, beside its input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from apps.tasks.inputs import DecimalParam, JsonParam, LinesParam, TextParam, UnionParam
from apps.tasks.kind_schemas import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]

DEEPEST = 4
MOST_SHOWN = 400
_WORDS = {"integer": "a whole number", "number": "a number", "string": "a text", "boolean": "true or false"}
_FORMATS = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T14:05:00Z",
    "time": "14:05:00",
    "duration": "02:30:00",
    "uuid": "12345678-1234-5678-1234-567812345678",
    "uri": "https://example.org/",
    "decimal": "12.50",
}


def limits(schema: Schema, root: Schema, field: Any) -> str:
    """Such as "0 to 1" or "at least 3 characters"."""
    return " · ".join(_limits(schema, root, field))


def wanted(schema: Schema, root: Schema) -> str:
    """The options of a union, such as "a whole number or a text"."""
    words: list[str] = []
    for option in schema.get("anyOf", ()):
        part, _ = plain(option, root)
        values = part.get("enum", [part["const"]] if "const" in part else [])
        words += [json.dumps(value) for value in values] or [_WORDS.get(str(part.get("type")), "")]
    *first, last = dict.fromkeys(word for word in words if word) or ["a value"]
    return f"{', '.join(first)} or {last}" if first else last


def shape(schema: Schema, root: Schema) -> str:
    """JSON that such a value might be; "" when anything will do."""
    value = _Example(root).of(schema)
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _limits(schema: Schema, root: Schema, field: Any) -> Iterator[str]:
    if isinstance(field, LinesParam):
        yield "one per line"
        items = plain(schema.get("items"), root)[0]
        yield from (f"each {limit}" for limit in _limits(items, root, field.item))
    if isinstance(field, UnionParam):
        yield wanted(schema, root)
    if isinstance(field, DecimalParam):  # its limits stand at the number that it could be as well
        yield from _between(next((part for part in schema["anyOf"] if "format" in part), {}))
    yield from _between(schema)
    if "multipleOf" in schema:
        yield f"a multiple of {_number(schema['multipleOf'])}"
    if schema.get("format") != "uri":
        yield from _size(schema.get("minLength"), schema.get("maxLength"), "character")
    yield from _size(schema.get("minItems"), schema.get("maxItems"), "item")
    yield from _ways(schema, field)


def _ways(schema: Schema, field: Any) -> Iterator[str]:
    """How it is written."""
    if schema.get("uniqueItems") is True and isinstance(field, LinesParam):
        yield "none twice"
    if "pattern" in schema:
        yield f"pattern {schema['pattern']}"
    if isinstance(field, JsonParam) and field.shape:
        yield "JSON"
    if schema.get("format") == "duration" or "x-zone" in schema:
        yield f"such as {_FORMATS.get(schema.get('format', ''), '')}"
    formats = [part.get("format") for part in schema.get("anyOf", ()) if isinstance(part, dict)]
    if type(field) is TextParam and (known := [_FORMATS[each] for each in formats if each in _FORMATS]):
        yield f"such as {' or '.join(known)}"


def _between(schema: Schema) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        yield f"{_number(least)} to {_number(most)}"
        return
    for keyword, word in _BOUNDS.items():
        if schema.get(keyword) is not None:
            yield f"{word} {_number(schema[keyword])}"


_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


def _size(least: Any, most: Any, unit: str) -> Iterator[str]:
    if least and most:
        yield f"{least:,} {unit}{'' if least == 1 else 's'}" if least == most else f"{least:,} to {most:,} {unit}s"
    elif least or most:
        count = least or most
        yield f"at {'least' if least else 'most'} {count:,} {unit}{'' if count == 1 else 's'}"


def _number(value: Any) -> str:
    text = json.dumps(value).removesuffix(".0")
    if len(text) > 20:
        return f"{text[:12]}…"
    return f"{value:,}".removesuffix(".0")


class _Example:
    """A value that a schema might be of; `left`: how many parts it may still have, since models may hold each other."""

    def __init__(self, root: Schema) -> None:
        self.root, self.left = root, 60

    def of(self, schema: Any, depth: int = 0) -> Any:
        part, nullable = plain(schema, self.root)
        self.left -= 1
        if isinstance(part.get("examples"), list) and part["examples"]:
            return part["examples"][0]
        if depth and (nullable or part.get("default") is not None):
            return part.get("default")
        if options := [option for option in (*part.get("anyOf", ()), *part.get("oneOf", ())) if option]:
            return self.of(options[0], depth) if self.left > 0 else None
        values = part.get("enum", [part["const"]] if "const" in part else [])
        return values[0] if values else self._of_type(part, depth)

    def _of_type(self, part: Schema, depth: int) -> Any:
        match part.get("type"):
            case "object":
                return self._object(part, depth) if depth < DEEPEST and self.left > 0 else {}
            case "array":
                return self._array(part, depth) if depth < DEEPEST and self.left > 0 else []
            case "integer" | "number" as type_:
                return part.get("minimum", 1 if type_ == "integer" else 0.5)
            case "string":
                return _FORMATS.get(str(part.get("format")), "text")
            case "boolean":
                return False
        return None

    def _object(self, part: Schema, depth: int) -> Any:
        if properties := part.get("properties"):
            return {name: self.of(each, depth + 1) for name, each in properties.items() if self.left > 0}
        values = part.get("additionalProperties")
        return {"name": self.of(values, depth + 1)} if isinstance(values, dict) else {}

    def _array(self, part: Schema, depth: int) -> Any:
        if items := part.get("prefixItems"):
            return [self.of(each, depth + 1) for each in items]
        return [self.of(part["items"], depth + 1)] if isinstance(part.get("items"), dict) else []
