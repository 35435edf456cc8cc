"""Tasks in GraphQL: reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from apps.accounts.permissions import Scope
from apps.api.errors import BadInput
from apps.api.paging import COUNT_CAP, page
from apps.api.schema import key_of
from apps.api.selection import requested
from apps.tasks.fetching import fetch, without_unasked
from apps.tasks.models import CancelledAttempt, Kind, Task
from apps.tasks.schema_inputs import TaskFilter, TaskOrder, filtered, ordered, searched
from apps.tasks.schema_kinds import TaskKind
from apps.tasks.schema_mutations import Mutation
from apps.tasks.schema_types import AttemptRef, StatusCounts, TaskConnection, TaskType

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from graphql import GraphQLResolveInfo

    from apps.accounts.permissions import Caller
    from apps.api.paging import Page
    from apps.tasks.querysets import TaskQuerySet

__all__ = ["NODES", "Mutation", "Query"]


QUERY = "The search box's own language: `status:FAILED name:fit error:timeout created:>2h`; times are UTC."


class Query(graphene.ObjectType):
    task = graphene.Field(TaskType, id=graphene.ID(), number=graphene.Int(), description="By id or by number.")
    tasks = graphene.Field(
        TaskConnection,
        required=True,
        first=graphene.Int(description="How many from the beginning: 50 unless told, at most 100."),
        after=graphene.String(),
        last=graphene.Int(description="How many from the end."),
        before=graphene.String(),
        filter=TaskFilter(),
        query=graphene.String(description=QUERY),
        order_by=TaskOrder(),
    )
    task_counts = graphene.Field(
        StatusCounts, required=True, filter=TaskFilter(), query=graphene.String(description=QUERY)
    )
    cancelled_attempts = graphene.List(
        graphene.NonNull(AttemptRef),
        required=True,
        description="What a worker that connects is not to run though the broker may still hold it (scope `worker`).",
    )
    kinds = graphene.List(
        graphene.NonNull(TaskKind), required=True, description="The kinds that workers have announced, by name."
    )

    def resolve_task(
        root: None, info: GraphQLResolveInfo, id: str | None = None, number: int | None = None
    ) -> Task | None:
        if (id is None) == (number is None):
            raise BadInput("Give either id or number.")
        key = number if id is None else key_of("Task", id)
        task = _readable(info).filter(pk=key).first()
        if task:
            fetch([task], requested(info, ""))
        return task

    def resolve_tasks(
        root: None,
        info: GraphQLResolveInfo,
        filter: dict[str, Any] | None = None,
        query: str | None = None,
        order_by: dict[str, Any] | None = None,
        **position: Any,
    ) -> Page:
        asked = requested(info, "nodes", "edges.node")
        tasks = without_unasked(_wanted(info, filter, query), asked)
        found = page(tasks, order=ordered(order_by), **position)
        fetch(found.rows, asked)
        return found

    def resolve_task_counts(
        root: None, info: GraphQLResolveInfo, filter: dict[str, Any] | None = None, query: str | None = None
    ) -> dict[str, int | bool]:
        counts = _wanted(info, filter, query).counts(COUNT_CAP)
        shown = {status.lower(): min(count, COUNT_CAP) for status, count in counts.items()}
        return {**shown, "exact": all(count <= COUNT_CAP for count in counts.values())}

    def resolve_cancelled_attempts(root: None, info: GraphQLResolveInfo) -> list[dict[str, int]]:
        info.context.caller.require(Scope.WORKER)
        return [{"task": task, "attempt": n} for task, n in CancelledAttempt.objects.to_tell_a_newcomer()]

    def resolve_kinds(root: None, info: GraphQLResolveInfo) -> QuerySet[Kind]:
        info.context.caller.require(Scope.TASKS_READ)
        return Kind.objects.all()


def task_node(caller: Caller, key: str) -> Task | None:
    caller.require(Scope.TASKS_READ)
    return Task.objects.visible_to(caller.user).filter(pk=key_of("Task", key)).first()


def kind_node(caller: Caller, key: str) -> Kind | None:
    caller.require(Scope.TASKS_READ)
    return Kind.objects.filter(name=key).first()


NODES = {"Task": task_node, "TaskKind": kind_node}


def _wanted(info: GraphQLResolveInfo, filter: dict[str, Any] | None, query: str | None) -> TaskQuerySet:
    tasks = filtered(_readable(info), filter)
    return searched(tasks, info.context.caller.user, query)


def _readable(info: GraphQLResolveInfo) -> TaskQuerySet:
    caller: Caller = info.context.caller
    caller.require(Scope.TASKS_READ)
    return Task.objects.visible_to(caller.user)
