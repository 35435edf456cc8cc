"""Which fields a query asks for, so that one SQL statement can bring them for all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLResolveInfo, SelectionSetNode


def requested(info: GraphQLResolveInfo, *places: str) -> frozenset[str]:
    """Dotted paths of what is asked for below any of the places: `{"number", "createdBy", "createdBy.username"}`.

    A place is a dotted path below the field that is being resolved, "" for itself. Directives are not looked at: at
    worst something is fetched that `@skip` leaves out.
    """
    paths = {path for node in info.field_nodes for path in _paths(node.selection_set, info, "")}
    below = {place: f"{place}." if place else "" for place in places}
    return frozenset(path.removeprefix(start) for start in below.values() for path in paths if path.startswith(start))


def _paths(selections: SelectionSetNode | None, info: GraphQLResolveInfo, start: str) -> Iterator[str]:
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            yield f"{start}{node.name.value}"
            yield from _paths(node.selection_set, info, f"{start}{node.name.value}.")
        elif isinstance(node, InlineFragmentNode):
            yield from _paths(node.selection_set, info, start)
        elif isinstance(node, FragmentSpreadNode):
            yield from _paths(info.fragments[node.name.value].selection_set, info, start)
