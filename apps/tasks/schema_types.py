"""What GraphQL shows of a task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import graphene
from graphene import relay
from graphene_django import DjangoObjectType
from graphql_relay import to_global_id

from apps.accounts.permissions import ALLOWED, Scope, may, may_write
from apps.accounts.schema import UserType
from apps.api.paging import COUNT_CAP, page_of_list
from apps.api.schema import JSON, Connection, DateTime, finite
from apps.api.selection import requested
from apps.queues import limits, pauses
from apps.queues.models import Queue, Worker
from apps.queues.report import obstacle
from apps.queues.schema import QueueType
from apps.tasks import artifacts, events, fetching, progress, sentences
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import LIVE, Status
from apps.tasks.models import Artifact, Attempt, Kind, Task
from apps.tasks.schema_attempts import AttemptConnection, AttemptType, TaskError
from apps.tasks.schema_events import TaskEvent
from apps.tasks.schema_kinds import TaskKind, by_name, code_of
from apps.tasks.schema_statuses import TaskReason, TaskStatus
from apps.tasks.schema_waiting import MOST_WAITING, Waiting, waiting_of

if TYPE_CHECKING:
    from datetime import datetime

    from graphql import GraphQLResolveInfo

    from apps.api.context import Context
    from apps.api.paging import Page
    from apps.tasks.events import Event


class Progress(graphene.ObjectType):
    """How far a running task has come, as its handler said last."""

    fraction = graphene.Float(description="From 0 to 1; null when it cannot tell.")
    message = graphene.String()
    updated_at = DateTime(required=True)
    seconds_left = graphene.Float(description="At its pace so far; null as long as that cannot be told.")

    def resolve_fraction(task: Task, info: GraphQLResolveInfo) -> float | None:
        return task.progress

    def resolve_message(task: Task, info: GraphQLResolveInfo) -> str | None:
        return task.progress_text or None

    def resolve_updated_at(task: Task, info: GraphQLResolveInfo) -> datetime | None:
        return task.progress_at

    def resolve_seconds_left(task: Task, info: GraphQLResolveInfo) -> float | None:
        context: Context = info.context
        return progress.seconds_left(task, context.once(database_now))


class AttemptRef(graphene.ObjectType):
    """An attempt by its task's number and its own."""

    task = graphene.Int(required=True)
    attempt = graphene.Int(required=True)


class ArtifactType(graphene.ObjectType):
    """Something that an attempt has made: a file, or what its handler returned."""

    class Meta:
        name = "Artifact"

    id = graphene.ID(required=True)
    name = graphene.String(required=True)
    content_type = graphene.String(required=True)
    bytes = graphene.Float(required=True)
    url = graphene.String(required=True, description="A path on this host; to be asked for with the same token.")
    sha256 = graphene.String(required=True)

    def resolve_id(artifact: Artifact, info: GraphQLResolveInfo) -> str:
        return to_global_id("Artifact", artifact.pk)

    def resolve_bytes(artifact: Artifact, info: GraphQLResolveInfo) -> float:
        return artifact.file.size

    def resolve_url(artifact: Artifact, info: GraphQLResolveInfo) -> str:
        return artifact.url

    def resolve_sha256(artifact: Artifact, info: GraphQLResolveInfo) -> str:
        return artifact.file_id


class TaskPermissions(graphene.ObjectType):
    """What the caller may do with a task as it is now."""

    retry = graphene.Boolean(required=True)
    cancel = graphene.Boolean(required=True)
    delete = graphene.Boolean(required=True)
    set_priority = graphene.Boolean(required=True, description="It has not begun.")
    share = graphene.Boolean(required=True, description="Make a link to it for those who do not sign in, on its page.")


class TaskType(DjangoObjectType):
    """What a person asked for."""

    class Meta:
        model = Task
        name = "Task"
        fields = ("name", "created_at", "started_at", "finished_at")
        interfaces = (relay.Node,)

    number = graphene.Int(required=True, description="The number in the ID column and in /tasks/<number>/.")
    kind = graphene.Field(TaskKind)
    params = graphene.Field(JSON)
    code = graphene.String(description="What a person wrote to be run, of kinds that take such; `params` has it, too.")
    status = graphene.Field(TaskStatus, required=True)
    reason = graphene.Field(TaskReason, description="Null when there is nothing to add.")
    progress = graphene.Field(Progress, description="Null unless it runs and has said how far it has come.")
    status_text = graphene.String(
        required=True, description="One sentence for a person: why it has not started yet, or how it ended."
    )
    value = graphene.Float(description="The number it returned; null when it returned none, or NaN or an infinity.")
    value_text = graphene.String(description="The number it returned as text: also `nan`, `inf` and `-inf`.")
    result = graphene.Field(JSON, description="What it returned when that is no plain float.")
    error = graphene.Field(TaskError)
    waiting = graphene.Field(Waiting, description=f"Null once it has begun. At most {MOST_WAITING} in one query.")
    queue = graphene.Field(QueueType, required=True)
    priority = graphene.Int(required=True, description="Of what waits in its queue the higher is handed over first.")
    created_by = graphene.Field(UserType)
    run_after = DateTime(description="It does not start before this time.")
    queued_seconds = graphene.Float(description="From the time it could start until a worker began it.")
    run_seconds = graphene.Float(description="How long its last attempt ran, as the worker measured it.")
    timeout_seconds = graphene.Float(description="How long an attempt may run before it is stopped.")
    max_attempts = graphene.Int(
        required=True, description="How many attempts may end with an error before it has failed."
    )
    crashes = graphene.Int(required=True, description="How many of its runs have vanished with their process.")
    idempotency_key = graphene.String()
    cloned_from = graphene.Field(
        lambda: TaskType,
        description="Whose input it was made from, by the form or `retryTask`; null once that is gone.",
    )
    attempts = graphene.Field(
        AttemptConnection, required=True, first=graphene.Int(default_value=20), after=graphene.String()
    )
    attempt = graphene.Field(
        AttemptType, number=graphene.Int(), description="One of its attempts: the last that has begun unless told."
    )
    artifacts = graphene.List(
        graphene.NonNull(ArtifactType),
        required=True,
        description="What its current attempt has made, in this order; each appears when it is there whole.",
    )
    events = graphene.List(
        graphene.NonNull(TaskEvent), required=True, description="What happened to it, and what is to come, in order."
    )
    viewer_can = graphene.Field(TaskPermissions, required=True)

    def resolve_number(task: Task, info: GraphQLResolveInfo) -> int:
        return task.pk

    def resolve_kind(task: Task, info: GraphQLResolveInfo) -> Kind | None:
        context: Context = info.context
        return context.once(by_name).get(task.kind)

    def resolve_code(task: Task, info: GraphQLResolveInfo) -> str | None:
        return code_of(task, info.context)

    def resolve_reason(task: Task, info: GraphQLResolveInfo) -> str | None:
        return task.reason or None

    def resolve_status_text(task: Task, info: GraphQLResolveInfo) -> str:
        context: Context = info.context
        return sentences.status_text(
            task,
            now=context.once(database_now),
            live_workers=context.once(_live_workers),
            obstacle=context.once(obstacle) if task.status == Status.QUEUEING else "",
            pause=context.once(pauses.current).get(task.queue) if task.status in LIVE else None,
            limits=context.once(limits.current).get(task.queue) if task.status == Status.QUEUEING else None,
        )

    def resolve_progress(task: Task, info: GraphQLResolveInfo) -> Task | None:
        return task if progress.is_shown(task) else None

    def resolve_value(task: Task, info: GraphQLResolveInfo) -> float | None:
        return finite(task.value)

    def resolve_value_text(task: Task, info: GraphQLResolveInfo) -> str | None:
        return task.value_text or None

    def resolve_result(task: Task, info: GraphQLResolveInfo) -> Any:
        return None if task.result is None else json.loads(task.result, parse_float=_number, parse_constant=str)

    def resolve_error(task: Task, info: GraphQLResolveInfo) -> Attempt | None:
        return TaskError.of(sentences.last_attempt(task)) if task.status == Status.FAILED else None

    def resolve_waiting(task: Task, info: GraphQLResolveInfo) -> dict[str, Any] | None:
        context: Context = info.context
        return waiting_of(task, context, context.once(_live_workers) if task.status in LIVE else [])

    def resolve_queue(task: Task, info: GraphQLResolveInfo) -> Queue:
        return Queue(name=task.queue)

    def resolve_created_by(task: Task, info: GraphQLResolveInfo) -> object:
        return task.created_by

    def resolve_run_after(task: Task, info: GraphQLResolveInfo) -> datetime | None:
        return task.run_at

    def resolve_queued_seconds(task: Task, info: GraphQLResolveInfo) -> float | None:
        if task.started_at is None:
            return None
        due = max(task.created_at, task.run_at) if task.run_at else task.created_at
        return max((task.started_at - due).total_seconds(), 0.0)

    def resolve_run_seconds(task: Task, info: GraphQLResolveInfo) -> float | None:
        attempt = sentences.last_attempt(task)
        return attempt.run_seconds if attempt else None

    def resolve_cloned_from(task: Task, info: GraphQLResolveInfo) -> Task | None:
        if task.cloned_from is None:
            return None
        return fetching.original(task, info.context.caller.user, requested(info, ""))

    def resolve_attempts(task: Task, info: GraphQLResolveInfo, first: int, after: str | None = None) -> Page:
        return page_of_list(task.attempts.all(), first=first, after=after)

    def resolve_attempt(task: Task, info: GraphQLResolveInfo, number: int | None = None) -> Attempt | None:
        found = {attempt.number: attempt for attempt in task.attempts.all()}
        return found.get(max(found, default=0) if number is None else number)

    def resolve_events(task: Task, info: GraphQLResolveInfo) -> list[Event]:
        return events.of(task, task.attempts.all())

    def resolve_artifacts(task: Task, info: GraphQLResolveInfo) -> list[Artifact]:
        attempt = sentences.last_attempt(task)
        return artifacts.of(attempt, task.artifacts.all()) if attempt else []

    def resolve_viewer_can(task: Task, info: GraphQLResolveInfo) -> dict[str, bool]:
        caller = info.context.caller
        writes = Scope.TASKS_WRITE in caller.scopes
        kind = info.context.once(by_name).get(task.kind)
        acts = {act: writes and may(caller.user, act, task, kind) for act in ALLOWED}
        return {**acts, "share": writes and may_write(caller.user)}


class TaskEdge(graphene.ObjectType):
    """A task and its cursor."""

    node = graphene.Field(TaskType, required=True)
    cursor = graphene.String(required=True)


class TaskConnection(Connection):
    """A page of tasks."""

    edges = graphene.List(graphene.NonNull(TaskEdge), required=True)
    nodes = graphene.List(graphene.NonNull(TaskType), required=True)
    total_count = graphene.Int(required=True, description=f"Counted up to {COUNT_CAP:,}.")
    total_count_is_exact = graphene.Boolean(required=True)

    def resolve_total_count(page: Page, info: GraphQLResolveInfo) -> int:
        return min(page.counted, COUNT_CAP)

    def resolve_total_count_is_exact(page: Page, info: GraphQLResolveInfo) -> bool:
        return page.counted <= COUNT_CAP


class StatusCounts(graphene.ObjectType):
    """Tasks per status."""

    queueing = graphene.Int(required=True)
    running = graphene.Int(required=True)
    finished = graphene.Int(required=True)
    failed = graphene.Int(required=True)
    cancelled = graphene.Int(required=True)
    exact = graphene.Boolean(required=True, description=f"False when one of them is more than {COUNT_CAP:,}.")


def _live_workers() -> list[Worker]:
    return list(Worker.objects.alive().select_related("ordered_by"))


def _number(text: str) -> float | str:
    """A float of a stored result; one that is too large for a float keeps its digits as text."""
    number = finite(float(text))
    return text if number is None else number
