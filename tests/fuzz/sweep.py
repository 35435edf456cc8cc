"""Every argument of every root field, with each strange value of its type, all else as it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graphql import GraphQLInputObjectType, GraphQLList, GraphQLNonNull, get_named_type, is_leaf_type
from graphql_relay import to_global_id

from tests.fuzz.cast import FITTING, Cast
from tests.fuzz.documents import SCHEMA
from tests.fuzz.requests import Shot
from tests.fuzz.values import CURSOR_IDS, MOMENTS, REAL, SEARCHES, TEXTS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

Strange = dict[str, list[Any]]
STRANGE: Strange = {
    "String": [*TEXTS, *SEARCHES, *CURSOR_IDS],
    "ID": [*TEXTS, *CURSOR_IDS],
    "Int": WHOLE,
    "Float": REAL,
    "DateTime": MOMENTS,
}
# Those that databases and clocks stumble over.
WORST: Strange = {
    "String": ["a\0b", "\ud800", "created:0001-01-01"],
    "ID": ["a\0b", "\ud800", *(to_global_id(kind, "a\0b") for kind in ("TaskKind", "Worker"))],
    "Int": [2**31 - 1, -1],
    "Float": [1e308, -1.0],
    "DateTime": ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
}
PLAIN: dict[str, Any] = {
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": MOMENTS[0],
    "JSON": {},
    "String": "default",
}


def sweep(cast: Cast, strange: Strange) -> Iterator[Shot]:
    """`strange`: the values by the name of their type."""
    for word, type_ in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type)):
        for name, field in type_.fields.items() if type_ else ():
            for argument, given in field.args.items():
                for value in _strange(given.type, strange, cast):
                    yield _shot(word, name, field, {argument: value}, cast)


def _shot(word: str, name: str, field: Any, value: dict[str, Any], cast: Cast) -> Shot:
    required = {key: arg for key, arg in field.args.items() if isinstance(arg.type, GraphQLNonNull)}
    given = {key: _plain(arg.type, cast) for key, arg in required.items()} | value
    declared = ", ".join(f"${key}: {field.args[key].type}" for key in given)
    passed = ", ".join(f"{key}: ${key}" for key in given)
    below = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    query = f"{word} ({declared}) {{ {name}({passed}){below} }}"
    return Shot(FITTING.get(name, "ops"), json.dumps({"query": query, "variables": given}).encode(), (name,))


def _strange(type_: Any, strange: Strange, cast: Cast) -> Iterator[Any]:
    if isinstance(type_, GraphQLNonNull):
        yield from _strange(type_.of_type, strange, cast)
    elif isinstance(type_, GraphQLList):
        yield from ([value] for value in _strange(type_.of_type, strange, cast))
    elif isinstance(type_, GraphQLInputObjectType):
        rest = _plain(type_, cast)
        for name, field in type_.fields.items():
            yield from ({**rest, name: value} for value in _strange(field.type, strange, cast))
    else:
        yield from strange.get(type_.name, [])


def _plain(type_: Any, cast: Cast) -> Any:
    """What is required, and no more."""
    if isinstance(type_, GraphQLNonNull):
        return _plain(type_.of_type, cast)
    if isinstance(type_, GraphQLList):
        return [_plain(type_.of_type, cast)]
    if isinstance(type_, GraphQLInputObjectType):
        fields = {name: field.type for name, field in type_.fields.items() if isinstance(field.type, GraphQLNonNull)}
        return {name: _plain(each, cast) for name, each in fields.items()}
    if hasattr(type_, "values"):
        return next(iter(type_.values))
    return cast.pool.ids[0] if type_.name == "ID" else PLAIN.get(type_.name, {"v": 1, "worker": "w1", "events": []})
