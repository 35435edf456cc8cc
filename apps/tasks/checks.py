"""A task's parameters, checked against the JSON Schema that the worker announced for the kind."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, ValidationError

from apps.tasks import strict_json
from apps.tasks.models import Kind


class Fault(NamedTuple):
    """What is wrong at `path` inside the parameters; the empty path means the whole."""

    path: tuple[str, ...]
    message: str
    code: str = "INVALID"


def faults(params: Any, kind: Kind | None) -> list[Fault]:
    """Everything that is wrong; without a kind only what is wrong for every kind."""
    if not isinstance(params, dict):
        return [Fault((), 'The parameters must be a JSON object, such as {"x": 1}.')]
    try:
        strict_json.check(params)
    except strict_json.BadJson as error:
        return [Fault((), str(error))]
    size = len(json.dumps(params))
    if size > strict_json.MAX_BYTES:
        return [Fault((), f"The parameters may have at most 64 KiB (they have {size / 1024:.0f} KiB).", "TOO_LARGE")]
    if kind is None:
        return []
    errors = _validator(kind).iter_errors(params)
    return [Fault(tuple(map(str, error.absolute_path)), _sentence(error)) for error in errors]


_validators: dict[str, tuple[datetime, Draft202012Validator]] = {}


def _validator(kind: Kind) -> Draft202012Validator:
    """Made once per announcement: a thousand tasks of a kind are checked by one."""
    announced_at, validator = _validators.get(kind.name, (None, None))
    if validator is None or announced_at != kind.announced_at:
        validator = Draft202012Validator(kind.schema)
        _validators[kind.name] = kind.announced_at, validator
    return validator


def _sentence(error: ValidationError) -> str:
    """What is wrong in words of ours: jsonschema's own quote whole schemas."""
    limit: Any = error.validator_value
    instance: Any = error.instance
    match error.validator:
        case "required":
            return f"{', '.join(name for name in limit if name not in instance)}: missing; it has no default."
        case "additionalProperties":
            schema: Any = error.schema
            return _unknown(instance, list(schema.get("properties", {})))
        case "type":
            wanted = _words(limit)
        case "anyOf":
            wanted = _words([option["type"] for option in limit if "type" in option])
        case "enum":
            wanted = f"one of {', '.join(map(str, limit))}"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            wanted = f"{_RELATIONS[error.validator]} {limit}"
        case _:
            return f"{error.message:.200}."
    return f"Must be {wanted} (it is {_shown(instance)})."


def _unknown(params: dict[str, Any], known: list[str]) -> str:
    unknown = ", ".join(name for name in params if name not in known)
    takes = f"it takes {', '.join(known)}" if known else "the kind takes none"
    return f"Unknown parameter {unknown!r:.100}; {takes}."


_RELATIONS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}
_TYPE_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _words(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else types
    return " or ".join(_TYPE_WORDS.get(name, name) for name in names)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
