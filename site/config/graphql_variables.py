"""What is wrong with the variables of a request, in words of ours: graphql-core's show values as Python writes them."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    coerce_input_value,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
    type_from_ast,
)
from graphql.utilities import get_operation_ast

from apps.api.errors import TooComplex
from config.graphql_documents import BadDocument
from config.schema import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphql import DocumentNode

MOST_TOLD = 20
# createTasks takes 1,000 tasks of at most 13; to look at a million takes graphql-core seconds.
MOST_VALUES = 20_000
TOO_MANY = (
    f"The variables may hold at most {MOST_VALUES:,} values, those in a JSON not counted: "
    "send less at once, of tasks at most 1,000."
)
_WANTED = {
    "String": "a text",
    "ID": "a text or a whole number",
    "Int": "a whole number from -2147483648 to 2147483647",
    "Float": "a finite number",
    "Boolean": "true or false",
    "DateTime": "a date and time, such as 2026-03-01T12:00:00Z",
}


def check_size(document: DocumentNode, values: dict[str, Any]) -> None:
    """Raises BadDocument when there is more to look at than any mutation takes. What is in a JSON is not looked at."""
    operation = get_operation_ast(document, None) if values else None
    given = [
        (type_from_ast(schema.graphql_schema, definition.type), values[definition.variable.name.value])
        for definition in (operation.variable_definitions if operation else ())
        if definition.variable.name.value in values
    ]
    if sum(_size(type_, value) for type_, value in given) > MOST_VALUES:
        raise BadDocument([TooComplex(TOO_MANY)])


def _size(type_: Any, value: Any) -> int:
    """How many items and fields there are; of far too many only some are counted."""
    type_ = get_nullable_type(type_)
    if isinstance(type_, GraphQLList):
        items = value if isinstance(value, list) else [value]
        of = get_nullable_type(type_.of_type)
        count = len(items)
        if count > MOST_VALUES or is_leaf_type(of):
            return count
        return count + (
            _size_of_objects(of, items)
            if isinstance(of, GraphQLInputObjectType)
            else sum(_size(of, item) for item in items)
        )
    return _size_of_objects(type_, [value]) if isinstance(type_, GraphQLInputObjectType) else 1


def _size_of_objects(type_: GraphQLInputObjectType, values: Sequence[Any]) -> int:
    objects = [value for value in values if isinstance(value, dict)]
    within = sum(_size(of, each[name]) for name, of in _large(type_) for each in objects if name in each)
    return len(values) - len(objects) + sum(map(len, objects)) + within


@cache
def _large(type_: GraphQLInputObjectType) -> Sequence[tuple[str, Any]]:
    """The fields that can hold more than one value."""
    types = ((name, get_nullable_type(field.type)) for name, field in type_.fields.items())
    return [(name, of) for name, of in types if not is_leaf_type(of)]


def mistakes(document: DocumentNode, values: dict[str, Any], operation_name: str | None) -> list[GraphQLError]:
    """Looked for only after graphql-core has refused a request: it does not say whether they were the reason."""
    operation = get_operation_ast(document, operation_name)
    found: list[GraphQLError] = []
    for definition in operation.variable_definitions if operation else ():
        name, type_ = definition.variable.name.value, type_from_ast(schema.graphql_schema, definition.type)
        if name in values:
            found += [GraphQLError(text, definition) for text in _mistakes_of(name, values[name], type_)]
        elif is_non_null_type(type_) and not definition.default_value:
            found.append(GraphQLError(f"${name} is missing: it must be {_wanted(type_)}.", definition))
    return found[:MOST_TOLD]


class _Enough(Exception):
    """No more of them would be told."""


def _mistakes_of(name: str, value: Any, type_: Any) -> list[str]:
    texts: list[str] = []

    def tell(path: Sequence[str | int], wrong: Any, error: GraphQLError) -> None:
        place = ".".join([f"${name}", *map(str, path)])
        if error.message.startswith("Field "):  # one that is missing or unknown, by its name
            texts.append(f"{place}: {error.message}")
        else:
            texts.append(f"{place} must be {_wanted(_type_at(type_, path))} (it is {_shown(wrong)}).")
        if len(texts) == MOST_TOLD:
            raise _Enough

    try:
        coerce_input_value(value, type_, tell)
    except _Enough:
        pass
    except RecursionError:
        texts.append(f"${name} is nested too deeply.")
    return texts


def _type_at(type_: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        type_ = get_nullable_type(type_)
        type_ = type_.of_type if isinstance(step, int) else _items(type_).fields[step].type
    return type_


def _items(type_: Any) -> Any:
    """Of a list, since a single item may stand for it."""
    while isinstance(type_, GraphQLList):
        type_ = get_nullable_type(type_.of_type)
    return type_


def _wanted(type_: Any) -> str:
    type_ = get_nullable_type(type_)
    if isinstance(type_, GraphQLList):
        return "a list"
    if isinstance(type_, GraphQLEnumType):
        return f"one of {', '.join(type_.values)}"
    if isinstance(type_, GraphQLInputObjectType):
        return f"an object, {type_.name}"
    return _WANTED.get(type_.name, f"a value of the type {type_.name}")


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value)
    except (RecursionError, ValueError):  # a number of too many digits, say
        return "too long to be shown"
    return text if len(text) <= 60 else f"{text[:57]}..."
