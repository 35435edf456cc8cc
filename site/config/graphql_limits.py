"""How much one GraphQL document may ask for: depth, aliases, fields, and the values its answer can hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
)

from apps.api.errors import TooComplex
from apps.api.paging import DEFAULT_SIZE, LARGEST_SIZE

if TYPE_CHECKING:
    from graphql import GraphQLField, SelectionSetNode

LENGTH = 20_000
TOKENS = 2_000
DEPTH = 10
INTROSPECTION_DEPTH = 15
ALIASES = 30
FIELDS = 500
REPEATS = 30  # validation compares each with each: 160 of one name take 0.25 s
VALUES = 20_000


def check(document: DocumentNode, schema: GraphQLSchema) -> None:
    """Raises TooComplex. Costs time in proportion to the document: every fragment is measured once."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > 1:
        raise TooComplex(f"One operation a request (there are {len(operations)}).")
    measure = _Measure(schema, {n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)})
    sizes = [measure.selection(n.selection_set, schema.get_root_type(n.operation)) for n in operations]
    # Fragments that nothing uses are validated too; those on the schema itself are as deep as introspection needs.
    sizes += [measure.fragment(name) for name in measure.fragments if not measure.introspects(name)]
    _refuse("aliases", ALIASES, measure.aliases)
    _refuse("fields", FIELDS, measure.fields.total())
    _refuse("repeats of a field", REPEATS, max(measure.fields.values(), default=0))
    for size in sizes:
        _refuse("levels", DEPTH, size.depth)
        _refuse("values in its answer", VALUES, size.values)


def mutations(document: DocumentNode) -> int:
    """How many a document that has passed asks for: one for each of its root fields; 0 for a query."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}

    def count(selections: SelectionSetNode) -> int:
        return sum(one(node) for node in selections.selections)

    def one(node: Any) -> int:
        if isinstance(node, FragmentSpreadNode):
            node = fragments[node.name.value]
        return 1 if isinstance(node, FieldNode) else count(node.selection_set)

    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return sum(count(node.selection_set) for node in operations if node.operation == OperationType.MUTATION)


@dataclass(frozen=True, slots=True)
class Size:
    """Of a selection: its levels, and how many values its answer may hold."""

    depth: int = 0
    values: int = 0


class _Measure:
    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.fragments = fragments
        self.aliases = 0
        self.fields: Counter[tuple[str, str]] = Counter()
        self._schema = schema
        self._known: dict[str, Size] = {}

    def selection(self, selections: SelectionSetNode | None, parent: object) -> Size:
        sizes = [self._node(node, parent) for node in selections.selections] if selections else []
        return Size(max((size.depth for size in sizes), default=0), sum(size.values for size in sizes))

    def fragment(self, name: str) -> Size:
        if name not in self._known:
            # Known as empty while it is measured: a circle ends here, and validation tells it.
            self._known[name] = Size()
            fragment = self.fragments.get(name)
            if fragment:
                parent = self._schema.get_type(fragment.type_condition.name.value)
                self._known[name] = self.selection(fragment.selection_set, parent)
        return self._known[name]

    def introspects(self, name: str) -> bool:
        return self.fragments[name].type_condition.name.value.startswith("__")

    def _node(self, node: Any, parent: object) -> Size:
        if isinstance(node, FragmentSpreadNode):
            return self.fragment(node.name.value)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            return self.selection(
                node.selection_set, self._schema.get_type(condition.name.value) if condition else parent
            )
        return self._field(node, parent)

    def _field(self, node: FieldNode, parent: object) -> Size:
        self.fields[str(parent), node.name.value] += 1
        self.aliases += node.alias is not None
        definition = parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType) else None
        below = self.selection(node.selection_set, get_named_type(definition.type) if definition else None)
        if node.name.value.startswith("__"):
            # The usual introspection query is deeper than any other.
            _refuse("levels of introspection", INTROSPECTION_DEPTH, below.depth)
            return Size(1, 1)
        return Size(1 + below.depth, 1 + _rows(node, definition) * below.values)


def _rows(node: FieldNode, definition: GraphQLField | None) -> int:
    """How many rows a connection may have; a variable may say anything."""
    if definition is None or "first" not in definition.args:
        return 1
    sizes = [argument.value for argument in node.arguments if argument.name.value in ("first", "last")]
    if not sizes:
        default = definition.args["first"].default_value
        return default if isinstance(default, int) else DEFAULT_SIZE
    if isinstance(sizes[0], IntValueNode) and len(sizes[0].value) < 5:
        return max(int(sizes[0].value), 1)
    return LARGEST_SIZE


def _refuse(what: str, limit: int, found: int) -> None:
    if found > limit:
        raise TooComplex(f"The document may have at most {limit:,} {what} (it has {found:,}).")
