"""Lists of objects, completed by a plan that is made once a list instead of anew for each row's every field.

graphql-core looks up a field's type, arguments and info again for each row, which triples the time of a page of tasks.
Whatever is not plain sailing (a resolver that raises, null where there must be a value, an interface) is left to it: it
meets the same again and tells it with the exact path. Resolvers of rows only read, so being asked twice does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from graphql import (
    ExecutionContext,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_leaf_type,
)
from graphql.execution.execute import get_field_def
from graphql.execution.values import get_argument_values
from graphql.utilities import get_operation_ast

from config.graphql_inputs import NotPlain, plain_lists

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import (
        DocumentNode,
        FieldNode,
        GraphQLError,
        GraphQLOutputType,
        GraphQLResolveInfo,
        GraphQLSchema,
    )
    from graphql.pyutils import Path

    Complete = Callable[[Any], Any]


class RowsContext(ExecutionContext):
    @classmethod
    def build(  # noqa: PLR0917 called so by graphql-core
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        *rest: Any,
        **more: Any,
    ) -> list[GraphQLError] | ExecutionContext:
        """Lists that are plain are read by a plan as well; graphql-core is shown empty ones in their place."""
        given = raw_variable_values or {}
        operation = get_operation_ast(document, operation_name)
        lists = plain_lists(schema, operation, given) if operation else {}
        given = {**given, **{name: [] for name in lists}}
        built = super().build(schema, document, root_value, context_value, given, operation_name, *rest, **more)
        if isinstance(built, ExecutionContext):
            built.variable_values.update(lists)
        return built

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        if isinstance(result, Iterator):
            result = list(result)  # it could not be gone through twice
        try:
            return _Planner(self, path).of_list(return_type, field_nodes)(result)
        except Exception:  # noqa: BLE001 told, whatever it is, by the second look
            return super().complete_list_value(return_type, field_nodes, info, path, result)


class _Planner:
    """Turns types and the fields asked of them into functions from a resolver's value to the answer's."""

    def __init__(self, context: ExecutionContext, path: Path) -> None:
        self._context = context
        self._path = path  # the list's: no resolver here asks for its own

    def of_list(self, type_: GraphQLList[Any], nodes: list[FieldNode]) -> Complete:
        complete = self._of(type_.of_type, nodes)
        return lambda values: [complete(value) for value in values]

    def _of(self, type_: Any, nodes: list[FieldNode]) -> Complete:
        if isinstance(type_, GraphQLNonNull):
            return self._of_present(type_.of_type, nodes)
        complete = self._of_present(type_, nodes)
        return lambda value: None if value is None else complete(value)

    def _of_present(self, type_: Any, nodes: list[FieldNode]) -> Complete:
        if is_leaf_type(type_):
            return _leaf(type_)
        if isinstance(type_, GraphQLObjectType):
            return self._of_object(type_, nodes)
        if isinstance(type_, GraphQLList):
            return self.of_list(type_, nodes)
        raise NotPlain

    def _of_object(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Complete:
        asked = self._context.collect_subfields(type_, nodes)
        columns = [self._column(type_, name, fields) for name, fields in asked.items()]

        def row(source: Any) -> dict[str, Any]:
            if source is None:
                raise NotPlain
            return {
                name: complete(resolve(source, info, **arguments))
                for name, resolve, info, arguments, complete in columns
            }

        return row

    def _column(self, type_: GraphQLObjectType, name: str, nodes: list[FieldNode]) -> tuple[Any, ...]:
        context = self._context
        field = get_field_def(context.schema, type_, nodes[0])
        if field is None:
            raise NotPlain
        info = context.build_resolve_info(field, nodes, type_, self._path)
        arguments = get_argument_values(field, nodes[0], context.variable_values)
        return name, field.resolve or context.field_resolver, info, arguments, self._of(field.type, nodes)


def _leaf(type_: GraphQLLeafType) -> Complete:
    serialize = type_.serialize

    def leaf(value: Any) -> Any:
        shown = None if value is None else serialize(value)
        if shown is None:
            raise NotPlain
        return shown

    return leaf
