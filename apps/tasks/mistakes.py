"""The keywords of JSON Schema that are checked before a task is created, each with what is said when one is not kept.

They are those that pydantic writes. Any other is left to the worker, which checks everything again. So is `pattern`:
Python's `re` can take minutes over a text that the worker's linear engine reads at once, and knows another dialect.
"""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import create

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Mistakes = Iterator[ValidationError]
    Keyword = Callable[[Any, Any, Any, Any], Mistakes]

# Followed for one value, in about a second: models that hold each other in a union double them with every level.
MOST_POINTERS = 30_000
MOST_SHOWN = 20
# Of a size that can be compared in no time.
_DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*", re.ASCII)

_followed: ContextVar[int] = ContextVar("followed")


class TooMuch(Exception):
    """The value would take too long to be checked."""


class OtherSort(ValidationError):
    """The value is something else than what is wanted: no limit that it could be brought to keep."""

    def __init__(self, wanted: str, instance: Any) -> None:
        super().__init__(must(wanted, instance))
        self.wanted = wanted


def of(value: Any, validator: Any) -> Mistakes:
    """Everything that is wrong with the value. Raises TooMuch, RecursionError."""
    _followed.set(0)
    for error in validator.iter_errors(value):
        if error.validator is None:  # the schema `false`, whose text jsonschema writes itself
            error.message = f"Nothing is allowed here (it is {shown(error.instance)})."
        yield error


def must(wanted: str, value: object) -> str:
    return f"Must be {wanted} (it is {shown(value)})."


def one_of(values: list[Any]) -> str:
    if not values:
        return "left out: nothing fits"
    names = [value if isinstance(value, str) else json.dumps(value) for value in values[:MOST_SHOWN]]
    more = f" and {len(values) - MOST_SHOWN:,} more" if len(values) > MOST_SHOWN else ""
    return f"one of {', '.join(names)}{more}"


def shown(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _type(validator: Any, types: str | list[str], instance: Any, schema: Mapping[str, Any]) -> Mistakes:
    names = [types] if isinstance(types, str) else types
    listed = "enum" in schema or "const" in schema  # and then its values say more than their type
    if not listed and not any(validator.is_type(instance, name) for name in names):
        yield OtherSort(" or ".join(_TYPE_WORDS[name] for name in names), instance)


def _enum(_validator: Any, values: list[Any], instance: Any, _schema: Any) -> Mistakes:
    if not any(_same(value, instance) for value in values):
        yield OtherSort(one_of(values), instance)


def _const(_validator: Any, value: Any, instance: Any, _schema: Any) -> Mistakes:
    if not _same(value, instance):
        yield OtherSort(shown(value), instance)


def _any_of(validator: Any, options: list[Any], instance: Any, _schema: Any) -> Mistakes:
    """Of an option that the value is meant for its own mistakes; else what all of them want."""
    refusals = []
    for option in options:
        errors = list(validator.descend(instance, option))
        if not errors:
            return
        refusals.append(errors)
    sorts = [[e.wanted for e in errors if isinstance(e, OtherSort) and not e.path] for errors in refusals]
    meant = [errors for errors, sort in zip(refusals, sorts, strict=True) if not sort]
    if meant:
        yield from min(meant, key=_how_far_off)
    else:
        yield OtherSort(" or ".join(dict.fromkeys(wanted for sort in sorts for wanted in sort)), instance)


def _how_far_off(errors: list[ValidationError]) -> tuple[int, ...]:
    """A const is what tells one model from another; else it is what has to be there."""
    return *(sum(error.validator == keyword for error in errors) for keyword in ("const", "required")), len(errors)


def _ref(validator: Any, pointer: str, instance: Any, schema: Any) -> Mistakes:
    _followed.set(_followed.get() + 1)
    if _followed.get() > MOST_POINTERS:
        raise TooMuch
    yield from Draft202012Validator.VALIDATORS["$ref"](validator, pointer, instance, schema)


def _properties(validator: Any, properties: Mapping[str, Any], instance: Any, _schema: Any) -> Mistakes:
    """jsonschema's own takes ten times as long, for each property that is as it should be."""
    for name, wanted in properties.items() if isinstance(instance, dict) else ():
        if name in instance and not _keeps(validator, instance[name], wanted):
            yield from validator.descend(instance[name], wanted, path=name, schema_path=name)


def _keeps(validator: Any, instance: Any, schema: Any) -> bool:
    """Whether it certainly does; asked of nothing with members, whose mistakes would be looked for twice per level."""
    if isinstance(instance, dict | list) or not isinstance(schema, dict):
        return False
    checks = ((validator.VALIDATORS[name], wanted) for name, wanted in schema.items() if name in validator.VALIDATORS)
    return not any(True for check, wanted in checks for _ in check(validator, wanted, instance, schema))


def _required(_validator: Any, names: list[str], instance: Any, _schema: Any) -> Mistakes:
    for name in names if isinstance(instance, dict) else ():
        if name not in instance:
            yield ValidationError("Missing: it has no default.", path=[name])


def _additional(validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]) -> Mistakes:
    if not isinstance(instance, dict) or "patternProperties" in schema:
        return
    known = schema.get("properties", {})
    unknown = [name for name in instance if name not in known]
    if allowed is False and unknown:
        takes = f"known are {', '.join(list(known)[:MOST_SHOWN])}" if known else "none is taken"
        for name in unknown:
            yield ValidationError(f"There is no parameter {name!r:.100} here; {takes}.", path=[name])
        return
    for name in unknown:
        yield from validator.descend(instance[name], allowed, path=name)


def _property_names(validator: Any, names: Any, instance: Any, _schema: Any) -> Mistakes:
    for name in instance if isinstance(instance, dict) else ():
        for error in validator.descend(name, names):
            yield ValidationError(f"A name in it is wrong: {error.message}")


def _items(validator: Any, items: Any, instance: Any, schema: Mapping[str, Any]) -> Mistakes:
    first = len(schema.get("prefixItems", ()))
    for index, item in enumerate(instance[first:] if isinstance(instance, list) else (), first):
        yield from validator.descend(item, items, path=index)


def _unique(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Mistakes:
    if not wanted or not isinstance(instance, list):
        return
    texts: set[str] = set()
    for item in instance:
        text = json.dumps(item, sort_keys=True)
        if text in texts:
            yield ValidationError(f"Nothing may stand in it twice ({shown(item)} does).")
            return
        texts.add(text)


def _multiple(validator: Any, step: float, instance: Any, _schema: Any) -> Mistakes:
    if not validator.is_type(instance, "number"):
        return
    rest = Fraction(instance) % Fraction(step)
    # As close as pydantic wants it: 0.3 is a multiple of 0.1.
    inexact = isinstance(instance, float) or isinstance(step, float)
    if min(rest, Fraction(step) - rest) > (abs(Fraction(instance)) / 10**9 if inexact else 0):
        yield ValidationError(must(f"a multiple of {step}", instance))


def _format(validator: Any, name: str, instance: Any, schema: Any) -> Mistakes:
    if name == "decimal" and isinstance(instance, str):
        yield from _decimal(validator, instance, schema)
    if name not in _FORMATS or not isinstance(instance, str):
        return
    read, wanted = _reader(name), _FORMATS[name][1]
    try:
        read(instance)
    except ValueError:
        yield ValidationError(must(wanted, instance))


@cache
def _reader(name: str) -> Callable[[Any], Any]:
    """As the worker will read it, by the same library; raises ValueError."""
    from pydantic import TypeAdapter  # noqa: PLC0415 it takes 0.2 s of every process, which most never need

    return TypeAdapter[Any](_FORMATS[name][0]).validate_python


def _decimal(validator: Any, text: str, schema: Any) -> Mistakes:
    """A Decimal's text keeps the limits of the number that it stands for."""
    if not _DECIMAL.fullmatch(text):
        yield OtherSort("a decimal number, such as 12.50", text)
        return
    limits = {name: limit for name, limit in schema.items() if name not in ("type", "format")}
    yield from validator.descend(Decimal(text), limits)


def _number(relation: str, keeps: Callable[[Any, Any], bool]) -> Keyword:
    def keyword(validator: Any, limit: Any, instance: Any, _schema: Any) -> Mistakes:
        if validator.is_type(instance, "number") and not keeps(instance, limit):
            yield ValidationError(must(f"{relation} {limit}", instance))

    return keyword


def _size(type_: str, unit: str, relation: str, keeps: Callable[[Any, Any], bool]) -> Keyword:
    def keyword(validator: Any, limit: int, instance: Any, _schema: Any) -> Mistakes:
        if validator.is_type(instance, type_) and not keeps(len(instance), limit):
            has = f"has {len(instance):,}" if instance else "is empty"
            yield ValidationError(f"Must have {relation} {limit:,} {unit}{'' if limit == 1 else 's'} (it {has}).")

    return keyword


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


_TYPE_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FORMATS = {
    "date": (date, "a date, such as 2030-01-31"),
    "date-time": (datetime, "a date and time, such as 2030-01-31T14:05:00Z"),
    "time": (time, "a time, such as 14:05:00"),
    "duration": (timedelta, "a duration, such as P1DT2H30M or 02:30:00"),
    "uuid": (UUID, "a UUID, such as 12345678-1234-5678-1234-567812345678"),
}

Checker = create(
    meta_schema=Draft202012Validator.META_SCHEMA,
    validators={
        **{name: Draft202012Validator.VALIDATORS[name] for name in ("prefixItems", "allOf")},
        "properties": _properties,
        "$ref": _ref,
        "type": _type,
        "enum": _enum,
        "const": _const,
        "anyOf": _any_of,
        "oneOf": _any_of,
        "required": _required,
        "additionalProperties": _additional,
        "propertyNames": _property_names,
        "items": _items,
        "uniqueItems": _unique,
        "multipleOf": _multiple,
        "format": _format,
        "minimum": _number("at least", ge),
        "maximum": _number("at most", le),
        "exclusiveMinimum": _number("more than", gt),
        "exclusiveMaximum": _number("less than", lt),
        "minLength": _size("string", "character", "at least", ge),
        "maxLength": _size("string", "character", "at most", le),
        "minItems": _size("array", "item", "at least", ge),
        "maxItems": _size("array", "item", "at most", le),
        "minProperties": _size("object", "name", "at least", ge),
        "maxProperties": _size("object", "name", "at most", le),
    },
)
