"""Variables that are lists of objects, read by a plan that is made once a type.

graphql-core looks at each value's type and keeps its path anew, which takes longer than a task's checks. Whatever is
not plain sailing is left to it: it meets the same again and tells it with the exact path.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
    type_from_ast,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLSchema, OperationDefinitionNode

    Read = Callable[[Any], Any]


class NotPlain(Exception):
    """Left to graphql-core."""


def plain_lists(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Of the variables those that are such lists, and nothing is wrong with, as resolvers take them."""
    found = {}
    for definition in operation.variable_definitions:
        name = definition.variable.name.value
        values = given.get(name)
        if isinstance(values, list):
            with suppress(Exception):  # told, whatever it is, by the second look
                read = _object(_item(type_from_ast(schema, definition.type)), has_objects=True)
                found[name] = [read(value) for value in values]
    return found


def _item(type_: Any) -> Any:
    """Of a list `[Item!]`, which may be null or not. Raises NotPlain."""
    items = get_nullable_type(type_)
    if not (isinstance(items, GraphQLList) and isinstance(items.of_type, GraphQLNonNull)):
        raise NotPlain
    return items.of_type.of_type


@cache
def _object(type_: Any, *, has_objects: bool) -> Read:
    """`has_objects`: those among its fields have none, so nothing that is read is deep. Raises NotPlain."""
    if not isinstance(type_, GraphQLInputObjectType) or type_.is_one_of:
        raise NotPlain
    fields = {name: (field.out_name or name, field) for name, field in type_.fields.items()}
    known = {
        name: (out_name, _field(field.type, has_objects=has_objects), not is_non_null_type(field.type))
        for name, (out_name, field) in fields.items()
    }
    unnamed = {
        out_name: field.default_value for out_name, field in fields.values() if field.default_value is not Undefined
    }
    needed = {out_name for out_name, field in fields.values() if is_non_null_type(field.type)}

    def read(value: Any) -> dict[str, Any]:
        made = unnamed.copy()
        for name, given in value.items():
            out_name, read_field, may_be_null = known[name]
            if given is not None:
                made[out_name] = found = read_field(given)
                if found is Undefined:
                    raise NotPlain
            elif may_be_null:
                made[out_name] = None
            else:
                raise NotPlain
        if not made.keys() >= needed:
            raise NotPlain
        return made

    return read


def _field(type_: Any, *, has_objects: bool) -> Read:
    of = get_nullable_type(type_)
    if is_leaf_type(of):
        parse: Read = of.parse_value
        return parse
    if has_objects:
        return _object(of, has_objects=False)
    raise NotPlain
