"""What GraphQL shows of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene
from django.core.cache import cache
from graphene import relay
from graphene_django import DjangoObjectType

from apps.accounts.permissions import Scope, may_create
from apps.api.schema import JSON
from apps.queues.models import Queue, Worker
from apps.queues.schema import QueueType
from apps.tasks import codes, kind_figures
from apps.tasks.models import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphql import GraphQLResolveInfo

    from apps.api.context import Context
    from apps.tasks.models import Task


FIGURES_SECONDS = 5
LATELY = f"Of everybody's, among the newest {kind_figures.NEWEST:,}; null when none has ended."


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

    p50_seconds = graphene.Float(description=f"How long half of its tasks ran at most. {LATELY}")
    p95_seconds = graphene.Float(description=f"How long 95 of 100 ran at most. {LATELY}")
    failure_rate = graphene.Float(description=f"From 0 to 1: failed of those that finished or failed. {LATELY}")
    runs_code = graphene.Boolean(required=True, description="Whatever a person writes, in a sandbox.")
    viewer_can_create = graphene.Boolean(
        required=True, description="Whether the caller may have tasks of it run: code needs a permission of its own."
    )

    def resolve_p50_seconds(kind: Kind, info: GraphQLResolveInfo) -> float | None:
        return _figures_of(kind, info.context).p50_seconds

    def resolve_p95_seconds(kind: Kind, info: GraphQLResolveInfo) -> float | None:
        return _figures_of(kind, info.context).p95_seconds

    def resolve_failure_rate(kind: Kind, info: GraphQLResolveInfo) -> float | None:
        return _figures_of(kind, info.context).failure_rate

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


def by_name() -> dict[str, Kind]:
    return Kind.objects.in_bulk()


def code_of(task: Task, context: Context) -> str | None:
    """What a person wrote to be run, of kinds that take such."""
    names = context.once(_code_names)
    if task.kind not in names:
        names[task.kind] = codes.names_of(context.once(by_name).get(task.kind))
    return next(iter(codes.of(task.params, names[task.kind]).values()), None)


def _code_names() -> dict[str, Sequence[str]]:
    """By kind, filled as they are met."""
    return {}


def _figures_of(kind: Kind, context: Context) -> kind_figures.Figures:
    return context.once(_figures).get(kind.name) or kind_figures.Figures()


def _figures() -> dict[str, kind_figures.Figures]:
    """Of everybody's tasks, so they are the same for all who ask within some seconds."""
    found: dict[str, kind_figures.Figures] | None = cache.get("kind-figures")
    if found is None:
        found = kind_figures.of(Kind.objects.values_list("name", flat=True))
        cache.set("kind-figures", found, FIGURES_SECONDS)
    return found


def _unserved() -> set[str]:
    return Worker.objects.without(Kind.objects.all())
