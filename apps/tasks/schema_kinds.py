"""What GraphQL shows of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene
from graphene import relay
from graphene_django import DjangoObjectType

from apps.accounts.permissions import Scope, may_create
from apps.api.schema import JSON
from apps.queues.models import Queue, Worker
from apps.queues.schema import QueueType
from apps.tasks.models import Kind

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from apps.api.context import Context


class TaskKind(DjangoObjectType):
    """A sort of work that some worker has announced."""

    class Meta:
        model = Kind
        name = "TaskKind"
        fields = ("name",)
        interfaces = (relay.Node,)

    doc = graphene.String()
    schema = graphene.Field(JSON, required=True, description="JSON Schema of the parameters.")
    queue = graphene.Field(QueueType, required=True)
    timeout_seconds = graphene.Float()
    max_attempts = graphene.Int(required=True)
    served = graphene.Boolean(
        required=True, description="Whether a worker that is there now runs it; else its tasks wait for one."
    )

    runs_code = graphene.Boolean(required=True, description="Whatever a person writes, in a sandbox.")
    viewer_can_create = graphene.Boolean(
        required=True, description="Whether the caller may have tasks of it run: code needs a permission of its own."
    )

    def resolve_viewer_can_create(kind: Kind, info: GraphQLResolveInfo) -> bool:
        caller = info.context.caller
        return Scope.TASKS_WRITE in caller.scopes and may_create(caller.user, kind)

    def resolve_served(kind: Kind, info: GraphQLResolveInfo) -> bool:
        context: Context = info.context
        return kind.name not in context.once(_unserved)

    def resolve_doc(kind: Kind, info: GraphQLResolveInfo) -> str | None:
        return kind.doc or None

    def resolve_queue(kind: Kind, info: GraphQLResolveInfo) -> Queue:
        return Queue(name=kind.queue)


def _unserved() -> set[str]:
    return Worker.objects.without(Kind.objects.all())
