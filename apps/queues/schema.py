"""Queues in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene
from graphene import relay
from graphene_django import DjangoObjectType

from apps.accounts.permissions import Scope
from apps.accounts.schema import UserType
from apps.api.schema import DateTime
from apps.queues import figures, limits, names, pauses
from apps.queues.limits import Limits
from apps.queues.models import Queue, Worker
from apps.tasks.clock import database_now

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User
    from graphql import GraphQLResolveInfo

    from apps.accounts.permissions import Caller
    from apps.queues.figures import Figures

CAPPED = f"Counted up to {figures.COUNT_CAP:,}; see `exact`."


class QueueType(DjangoObjectType):
    """A named line of waiting tasks. Its counts are of everybody's tasks."""

    class Meta:
        model = Queue
        name = "Queue"
        fields = ("name",)
        interfaces = (relay.Node,)

    paused = graphene.Boolean(required=True, description="Nothing of it begins; what runs runs on.")
    paused_at = DateTime()
    paused_by = graphene.Field(UserType)
    concurrency_limit = graphene.Int(description="How many of it workers have at once at most; null: as they can.")
    rate_per_minute = graphene.Float(description="How many of it begin in a minute at most; null: no limit.")
    ready = graphene.Int(required=True, description=f"Tasks that could begin at once. {CAPPED}")
    in_broker = graphene.Int(required=True, description=f"Those of `ready` that RabbitMQ has. {CAPPED}")
    scheduled = graphene.Int(required=True, description=f"For later, or waiting for their next try. {CAPPED}")
    running = graphene.Int(required=True, description=CAPPED)
    oldest_seconds = graphene.Float(description="How long the one has waited that has waited longest.")
    created_last_minute = graphene.Int(required=True, description=CAPPED)
    ended_last_minute = graphene.Int(required=True, description=CAPPED)
    exact = graphene.Boolean(required=True, description="False when one of the counts has stopped at its limit.")
    workers = graphene.Int(required=True, description="Those that serve it and take tasks now.")

    def resolve_paused(queue: Queue, info: GraphQLResolveInfo) -> bool:
        return queue.name in info.context.once(_paused)

    def resolve_paused_at(queue: Queue, info: GraphQLResolveInfo) -> datetime | None:
        stored = info.context.once(_paused).get(queue.name)
        return stored.paused_at if stored else None

    def resolve_paused_by(queue: Queue, info: GraphQLResolveInfo) -> User | None:
        stored = info.context.once(_paused).get(queue.name)
        return stored.paused_by if stored else None

    def resolve_concurrency_limit(queue: Queue, info: GraphQLResolveInfo) -> int | None:
        return _limits_of(queue, info).at_once

    def resolve_rate_per_minute(queue: Queue, info: GraphQLResolveInfo) -> float | None:
        return _limits_of(queue, info).per_minute

    def resolve_ready(queue: Queue, info: GraphQLResolveInfo) -> int:
        return _shown(_figures_of(queue, info).waiting)

    def resolve_in_broker(queue: Queue, info: GraphQLResolveInfo) -> int:
        return _shown(_figures_of(queue, info).in_broker)

    def resolve_scheduled(queue: Queue, info: GraphQLResolveInfo) -> int:
        return _shown(_figures_of(queue, info).later)

    def resolve_running(queue: Queue, info: GraphQLResolveInfo) -> int:
        return _shown(_figures_of(queue, info).running)

    def resolve_oldest_seconds(queue: Queue, info: GraphQLResolveInfo) -> float | None:
        oldest = _figures_of(queue, info).oldest
        return (info.context.once(database_now) - oldest).total_seconds() if oldest else None

    def resolve_created_last_minute(queue: Queue, info: GraphQLResolveInfo) -> int:
        return _shown(_figures_of(queue, info).created)

    def resolve_ended_last_minute(queue: Queue, info: GraphQLResolveInfo) -> int:
        return _shown(_figures_of(queue, info).ended)

    def resolve_exact(queue: Queue, info: GraphQLResolveInfo) -> bool:
        return _figures_of(queue, info).is_exact

    def resolve_workers(queue: Queue, info: GraphQLResolveInfo) -> int:
        return sum(queue.name in served for served in info.context.once(_served))


class Query(graphene.ObjectType):
    queues = graphene.List(graphene.NonNull(QueueType), required=True, description="By name.")
    paused_queues = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Of which a worker that connects is to begin nothing (scope `worker`).",
    )

    def resolve_queues(root: None, info: GraphQLResolveInfo) -> list[Queue]:
        info.context.caller.require(Scope.TASKS_READ)
        return [Queue(name=name) for name in sorted(names.known())]

    def resolve_paused_queues(root: None, info: GraphQLResolveInfo) -> list[str]:
        info.context.caller.require(Scope.WORKER)
        return sorted(pauses.current())


def node(caller: Caller, key: str) -> Queue | None:
    caller.require(Scope.TASKS_READ)
    return Queue.objects.filter(name=key).first()


NODES = {"Queue": node}


def _figures_of(queue: Queue, info: GraphQLResolveInfo) -> Figures:
    found: dict[str, Figures] = info.context.once(_figures)
    return found.get(queue.name) or figures.Figures()


def _limits_of(queue: Queue, info: GraphQLResolveInfo) -> Limits:
    found: dict[str, Limits] = info.context.once(limits.current)
    return found.get(queue.name) or Limits()


def _figures() -> dict[str, Figures]:
    """Of all at once: a list of tasks asks for the queue of each."""
    return figures.of(names.known())


def _paused() -> dict[str, Queue]:
    return {queue.name: queue for queue in Queue.objects.paused().select_related("paused_by")}


def _served() -> list[list[str]]:
    return list(Worker.objects.alive().filter(draining=False, order="").values_list("queues", flat=True))


def _shown(count: int) -> int:
    return min(count, figures.COUNT_CAP)
