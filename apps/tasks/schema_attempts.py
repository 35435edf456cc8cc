"""What GraphQL shows of an attempt, and of what went wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene
from graphene_django import DjangoObjectType

from apps.api.schema import Connection
from apps.queues.models import Environment, Worker
from apps.queues.schema_environments import EnvironmentType
from apps.tasks import tracebacks
from apps.tasks.fetching import bring_environments, bring_workers
from apps.tasks.models import Attempt
from apps.tasks.schema_kinds import code_of
from apps.tasks.schema_output import MOST_OUTPUTS, AttemptOutput, LogStream, output_of
from apps.tasks.schema_statuses import TaskReason, TaskStatus

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo


class TaskError(graphene.ObjectType):
    """What the handler raised, or how its process ended."""

    type = graphene.String(required=True)
    message = graphene.String(required=True)
    traceback = graphene.String()
    line = graphene.Int(description="Of the task's `code`, where it went wrong; null when that is somewhere else.")
    fingerprint = graphene.ID(description="Its cause, as in `failureGroups`; null for an attempt before the last.")

    @staticmethod
    def of(attempt: Attempt | None) -> Attempt | None:
        return attempt if attempt and attempt.error_type else None

    def resolve_type(attempt: Attempt, info: GraphQLResolveInfo) -> str:
        return attempt.error_type

    def resolve_message(attempt: Attempt, info: GraphQLResolveInfo) -> str:
        return attempt.error_message

    def resolve_fingerprint(attempt: Attempt, info: GraphQLResolveInfo) -> str | None:
        return attempt.task.cause if attempt.number == attempt.task.attempt else None

    def resolve_traceback(attempt: Attempt, info: GraphQLResolveInfo) -> str | None:
        return attempt.traceback or None

    def resolve_line(attempt: Attempt, info: GraphQLResolveInfo) -> int | None:
        code = code_of(attempt.task, info.context)
        fault = tracebacks.fault(code, attempt.traceback) if code else None
        return fault.number if fault else None


class AttemptType(DjangoObjectType):
    """One numbered try."""

    class Meta:
        model = Attempt
        name = "Attempt"
        fields = ("started_at", "finished_at")
        skip_registry = True

    number = graphene.Int(required=True)
    worker_name = graphene.String(required=True)
    worker = graphene.Field(
        "apps.queues.schema_workers.WorkerType", description="As it is now; null once it is long gone."
    )
    status = graphene.Field(TaskStatus, required=True)
    reason = graphene.Field(TaskReason)
    error = graphene.Field(TaskError)
    run_seconds = graphene.Float(description="As the worker measured it.")
    cpu_seconds = graphene.Float(description="Of its process and those that it has waited for.")
    peak_memory_bytes = graphene.Float(description="The most that its process had at once.")
    environment = graphene.Field(EnvironmentType, description="What its worker had installed; null when not known.")
    output = graphene.Field(
        AttemptOutput,
        required=True,
        after=graphene.Float(default_value=0, description="Only what begins at this byte or later."),
        stream=LogStream(description="Only what was printed there."),
        description=f"What it printed. At most {MOST_OUTPUTS} in one query.",
    )

    def resolve_peak_memory_bytes(attempt: Attempt, info: GraphQLResolveInfo) -> float | None:
        return attempt.peak_bytes

    def resolve_environment(attempt: Attempt, info: GraphQLResolveInfo) -> Environment | None:
        if "kept" not in vars(attempt):
            bring_environments([attempt])
        kept: Environment | None = vars(attempt)["kept"]
        return kept

    def resolve_worker(attempt: Attempt, info: GraphQLResolveInfo) -> Worker | None:
        if "by" not in vars(attempt):
            bring_workers([attempt])
        by: Worker | None = vars(attempt)["by"]
        return by

    def resolve_output(attempt: Attempt, info: GraphQLResolveInfo, after: float, stream: Any = None) -> dict[str, Any]:
        return output_of(attempt, info.context, after, stream.value if stream else None)

    def resolve_worker_name(attempt: Attempt, info: GraphQLResolveInfo) -> str:
        return attempt.worker

    def resolve_reason(attempt: Attempt, info: GraphQLResolveInfo) -> str | None:
        return attempt.reason or None

    def resolve_error(attempt: Attempt, info: GraphQLResolveInfo) -> Attempt | None:
        return TaskError.of(attempt)


class AttemptEdge(graphene.ObjectType):
    """An attempt and its cursor."""

    node = graphene.Field(AttemptType, required=True)
    cursor = graphene.String(required=True)


class AttemptConnection(Connection):
    """A task's attempts, the oldest first."""

    edges = graphene.List(graphene.NonNull(AttemptEdge), required=True)
    nodes = graphene.List(graphene.NonNull(AttemptType), required=True)
