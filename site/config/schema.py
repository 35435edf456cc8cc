"""The root of the GraphQL schema: every app's Query and Mutation, composed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene
from graphene import relay
from graphql import GraphQLInt, print_schema
from graphql.type.scalars import serialize_int

import apps.accounts.schema
import apps.audit.schema
import apps.queues.schema
import apps.queues.schema_mutations
import apps.queues.schema_workers
import apps.tasks.schema
import apps.tasks.schema_bulk
import apps.tasks.schema_changes
import apps.tasks.schema_failures
from apps.api.schema import type_and_key
from apps.queues.schema import QueueType

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

NODES = {
    **apps.accounts.schema.NODES,
    **apps.audit.schema.NODES,
    **apps.queues.schema.NODES,
    **apps.queues.schema_workers.NODES,
    **apps.tasks.schema.NODES,
    **apps.tasks.schema_bulk.NODES,
}


class Query(
    apps.audit.schema.Query,
    apps.tasks.schema.Query,
    apps.tasks.schema_bulk.Query,
    apps.tasks.schema_changes.Query,
    apps.tasks.schema_failures.Query,
    apps.queues.schema.Query,
    apps.queues.schema_workers.Query,
    apps.accounts.schema.Query,
):
    """What can be asked."""

    node = graphene.Field(relay.Node, id=graphene.ID(required=True), description="Anything that has an id.")

    def resolve_node(root: None, info: GraphQLResolveInfo, id: str) -> object | None:
        kind, key = type_and_key(id)
        find = NODES.get(kind)
        return find(info.context.caller, key) if find else None


class Mutation(
    apps.tasks.schema.Mutation,
    apps.tasks.schema_bulk.Mutation,
    apps.tasks.schema_failures.Mutation,
    apps.queues.schema_mutations.Mutation,
):
    """What can be changed."""


schema = graphene.Schema(query=Query, mutation=Mutation, types=[QueueType])


def _whole(value: Any) -> Any:
    return value if type(value) is int and abs(value) <= EXACT else serialize_int(value)


# Else a list would fail with the first number of a task that has more than the 32 bits of an Int.
GraphQLInt.serialize = _whole  # type: ignore[method-assign]
EXACT = 2**53  # in whatever language JSON is read


def printed() -> str:
    """The public contract as text, as it is committed in schema.graphql."""
    return f"{print_schema(schema.graphql_schema)}\n"
