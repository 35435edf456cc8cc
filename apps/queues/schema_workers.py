"""Workers in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene
from django.db.models import prefetch_related_objects
from graphene import relay
from graphene_django import DjangoObjectType

from apps.accounts.permissions import Scope
from apps.api.selection import requested
from apps.queues import workers
from apps.queues.models import Order, Worker
from apps.queues.schema_environments import EnvironmentType
from apps.tasks.fetching import fetch, without_unasked
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task
from apps.tasks.schema_types import TaskType

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from graphql import GraphQLResolveInfo

    from apps.accounts.permissions import Caller
    from apps.api.context import Context

BIGGEST_INT = 2**31 - 1
MOST_TASKS = 1_000  # of all workers


WorkerOrder = graphene.Enum.from_enum(
    Order, name="WorkerOrder", description=lambda value: value.label if value else "What a worker is told to do."
)


class WorkerType(DjangoObjectType):
    """A worker process as its last heartbeat told it."""

    class Meta:
        model = Worker
        name = "Worker"
        fields = ("name", "host", "started_at", "last_seen_at")
        interfaces = (relay.Node,)

    pid = graphene.Int()
    draining = graphene.Boolean(required=True, description="It begins nothing, and says so itself.")
    order = WorkerOrder(description="What it is told, whether it has heard it or not; null: to take tasks.")
    alive = graphene.Boolean(required=True, description="False when it went silent without a goodbye.")
    queues = graphene.List(graphene.NonNull(graphene.String), required=True)
    concurrency = graphene.Int(required=True, description="Its slots: how many tasks it runs at once.")
    running = graphene.List(
        graphene.NonNull(TaskType),
        required=True,
        description=f"What it runs now, of what the caller may see; {MOST_TASKS:,} of all workers.",
    )
    rss_bytes = graphene.Float(description="Memory of the worker itself, without its tasks.")
    environment = graphene.Field(EnvironmentType)

    def resolve_order(worker: Worker, info: GraphQLResolveInfo) -> str | None:
        return worker.order or None

    def resolve_alive(worker: Worker, info: GraphQLResolveInfo) -> bool:
        context: Context = info.context
        return worker.name in context.once(_alive)

    def resolve_running(worker: Worker, info: GraphQLResolveInfo) -> list[Task]:
        if "tasks" in vars(worker):
            brought: list[Task] = vars(worker)["tasks"]
            return brought
        # Of a worker that was met elsewhere, such as an attempt's: those of all workers are looked up, once for each
        # way in which they are asked for.
        asked = requested(info, "")
        found: dict[Any, list[Task]] = info.context.once(_running)
        if asked not in found:
            found[asked] = _tasks_of_workers(info.context.caller, asked)
        return [task for task in found[asked] if task.worker == worker.name]

    def resolve_pid(worker: Worker, info: GraphQLResolveInfo) -> int | None:
        return worker.pid if worker.pid <= BIGGEST_INT else None

    def resolve_rss_bytes(worker: Worker, info: GraphQLResolveInfo) -> float | None:
        return worker.rss_bytes


class Query(graphene.ObjectType):
    workers = graphene.List(
        graphene.NonNull(WorkerType),
        required=True,
        description="Those connected, and those that went silent within the last hour.",
    )

    def resolve_workers(root: None, info: GraphQLResolveInfo) -> list[Worker]:
        caller: Caller = info.context.caller
        caller.require(Scope.TASKS_READ)
        alive, lost = workers.reported()
        found = [*alive[: workers.MOST_ALIVE], *lost[: workers.MOST_LOST]]
        asked = requested(info, "")
        if "environment" in asked:
            prefetch_related_objects(found, "environment")
        if "running" in asked:
            _bring_tasks(found, caller, requested(info, "running"))
        return found


def node(caller: Caller, key: str) -> Worker | None:
    caller.require(Scope.TASKS_READ)
    return Worker.objects.filter(name=key).first()


NODES = {"Worker": node}


def _alive() -> set[str]:
    return set(Worker.objects.alive().values_list("name", flat=True))


def _bring_tasks(found: Sequence[Worker], caller: Caller, asked: Collection[str]) -> None:
    """What each of them runs, as its `tasks`. `asked`: paths below a task."""
    tasks = _tasks_of_workers(caller, asked, worker__in=[worker.name for worker in found])
    for worker in found:
        vars(worker)["tasks"] = [task for task in tasks if task.worker == worker.name]


def _tasks_of_workers(caller: Caller, asked: Collection[str], **which: Any) -> list[Task]:
    mine = Task.objects.visible_to(caller.user).filter(status=Status.RUNNING, **which)
    tasks = list(without_unasked(mine, asked).order_by("id")[:MOST_TASKS])
    fetch(tasks, asked)
    return tasks


def _running() -> dict[Collection[str], list[Task]]:
    """By what is asked of each."""
    return {}
