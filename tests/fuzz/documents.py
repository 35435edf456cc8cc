"""GraphQL documents drawn from the schema: most are valid, some are almost."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from config.schema import schema
from tests.fuzz.values import PLAIN, Bare, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn

    from tests.fuzz.cast import Pool

SCHEMA = schema.graphql_schema
DEEPEST = 6
SLIPS = ["unknown field", "bare object", "selected leaf", "unknown argument", "no argument", "directive"]


class Document:
    """Drawn as it is made: its `text`, its `variables`, and the `root` fields that it asks for."""

    def __init__(self, draw: DrawFn, pool: Pool) -> None:
        self._draw = draw
        self._values = Values(draw, pool, one_in=draw(st.sampled_from([5, 30, 30, PLAIN])))
        self._ascii = draw(st.booleans())
        # At most one, so that what is wrong is seldom hidden behind something else.
        self._slip = draw(st.sampled_from([""] * 20 + SLIPS))
        self._fragments: list[str] = []
        self._declared: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self.root: list[str] = []
        self.text = self._operation()

    def _operation(self) -> str:
        word = self._one(["query", "query", "mutation", "mutation", "query"])
        type_ = SCHEMA.mutation_type if word == "mutation" else SCHEMA.query_type
        assert type_
        self.root = self._several(list(type_.fields), 3 if word == "query" else 1)
        fields = " ".join(self._field(type_, name, 1) for name in self.root)
        declared = ", ".join(f"${name}: {wanted}" for name, wanted in self._declared.items())
        head = f"{word} q{self._number(9)}({declared})" if declared else word
        return f"{head} {{ {fields} }} {' '.join(self._fragments)}"

    def _selection(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLInterfaceType):
            types = self._several([each.name for each in SCHEMA.get_possible_types(type_)], 2)
            on = (f"... on {name} {self._selection(SCHEMA.get_type(name), depth)}" for name in types)
            return f"{{ __typename {' '.join(on)} }}"
        names = [name for name, field in type_.fields.items() if depth < DEEPEST or _is_leaf(field)]
        fields = [self._field(type_, name, depth) for name in self._several([*names, "__typename"], 4)]
        text = f"{{ {' '.join(fields)} }}"
        if not self._seldom(8):
            return text
        self._fragments.append(f"fragment f{len(self._fragments)} on {type_.name} {text}")
        return f"{{ ...f{len(self._fragments) - 1} }}"

    def _field(self, type_: GraphQLObjectType, name: str, depth: int) -> str:
        if name == "__typename":
            return "nonsense" if self._slips("unknown field") else name
        field = type_.fields[name]
        alias = f"a{self._number(99)}: " if self._seldom(4) else ""
        directive = " @include(if: true)" if self._seldom(20) else ""
        directive = " @nothing" if self._slips("directive") else directive
        below = "" if _is_leaf(field) else self._selection(get_named_type(field.type), depth + 1)
        if (below and self._slips("bare object")) or (not below and self._slips("selected leaf")):
            below = "" if below else "{ x }"
        return f"{alias}{name}{self._arguments(field)}{directive} {below}"

    def _arguments(self, field: Any) -> str:
        given = [
            f"{name}: {self._given(argument.type)}"
            for name, argument in field.args.items()
            if (isinstance(argument.type, GraphQLNonNull) and not self._slips("no argument")) or self._number(2)
        ]
        given += ["nonsense: 1"] if self._slips("unknown argument") else []
        return f"({', '.join(given)})" if given else ""

    def _given(self, type_: Any) -> str:
        value = self._values.of(type_)
        if self._number(2):
            return self._literal(value)
        name = f"v{len(self._declared)}"
        self._declared[name] = (
            str(type_) if not self._seldom(40) else self._one(["Int", "String!", "[ID]", "JSON", "Nothing"])
        )
        if not self._seldom(40):
            self.variables[name] = value
        return f"${name}"

    def _literal(self, value: Any) -> str:
        if isinstance(value, Bare):
            return str(value)
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=self._ascii)
        if isinstance(value, list):
            return f"[{', '.join(map(self._literal, value))}]"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{name}: {self._literal(each)}' for name, each in value.items())}}}"
        if isinstance(value, float) and not math.isfinite(value):
            return "NaN" if math.isnan(value) else "1e999"
        return json.dumps(value)

    def _slips(self, how: str) -> bool:
        """Once a document, at the first chance taken."""
        if self._slip != how or self._number(3) == 0:
            return False
        self._slip = ""
        return True

    def _several(self, of: Sequence[str], most: int) -> list[str]:
        return self._draw(st.lists(st.sampled_from(of), min_size=1, max_size=most, unique=True))

    def _number(self, below: int) -> int:
        return self._draw(st.integers(0, below - 1))

    def _seldom(self, one_in: int) -> bool:
        """In the middle: hypothesis likes both ends of a range."""
        return self._number(one_in) == one_in // 2

    def _one(self, of: Sequence[str]) -> str:
        return self._draw(st.sampled_from(of))


def _is_leaf(field: Any) -> bool:
    return is_leaf_type(get_named_type(field.type))
