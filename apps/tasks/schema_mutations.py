"""Tasks in GraphQL: changing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene
from graphql_relay import to_global_id

from apps.accounts.permissions import Scope
from apps.api.schema import JSON, UserErrors, key_of, user_errors
from apps.api.selection import requested
from apps.tasks import recording, services
from apps.tasks.clock import database_now
from apps.tasks.drafts import Problem, Refused
from apps.tasks.fetching import fetch
from apps.tasks.schema_inputs import CreateTaskInput, draft, refusal
from apps.tasks.schema_types import TaskType
from workers.messages import BadMessage

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

MOST_EVENTS = 1_000

EventVerdict = graphene.Enum.from_enum(
    recording.Verdict, name="EventVerdict", description=lambda value: None if value else "What became of an event."
)


class TaskPayload(graphene.ObjectType):
    """The task, or null and what is wrong."""

    task = graphene.Field(TaskType)
    user_errors = UserErrors()


class TasksPayload(graphene.ObjectType):
    """The tasks in the order of the input, or none and what is wrong."""

    tasks = graphene.List(graphene.NonNull(TaskType), required=True)
    user_errors = UserErrors()


class TaskActionInput(graphene.InputObjectType):
    """Which task."""

    id = graphene.ID(required=True, description="Its id, or its number.")


class DeleteTaskPayload(graphene.ObjectType):
    """The id of what is gone."""

    deleted_task_id = graphene.ID()
    user_errors = UserErrors()


class EventBatch(JSON):
    """What one worker had to say at once: the body of one message of the outcomes queue."""


class RecordEventsInput(graphene.InputObjectType):
    """The batches in the order they came."""

    batches = graphene.List(
        graphene.NonNull(EventBatch), required=True, description=f"With at most {MOST_EVENTS:,} events in all."
    )


class RecordEventsPayload(graphene.ObjectType):
    """One verdict per event, in order over all batches."""

    verdicts = graphene.List(graphene.NonNull(EventVerdict), required=True)
    user_errors = UserErrors()


class ClaimVerdict(graphene.Enum):
    """Whether a delivery that may be a duplicate is still to be run."""

    RUN = "RUN"
    DROP = "DROP"


class ClaimTaskInput(graphene.InputObjectType):
    """Which attempt, and who asks."""

    task = graphene.Int(required=True)
    attempt = graphene.Int(required=True)
    worker = graphene.String(required=True)


class ClaimTaskPayload(graphene.ObjectType):
    """The answer to a worker."""

    verdict = graphene.Field(ClaimVerdict, required=True)


class Mutation(graphene.ObjectType):
    create_task = graphene.Field(
        TaskPayload, required=True, input=CreateTaskInput(required=True), description="Save a task to be run."
    )
    create_tasks = graphene.Field(
        TasksPayload,
        required=True,
        input=graphene.List(graphene.NonNull(CreateTaskInput), required=True),
        description="Up to 1,000 at once, all or none; `userErrors[].field` starts with the index.",
    )
    delete_task = graphene.Field(DeleteTaskPayload, required=True, input=TaskActionInput(required=True))
    record_events = graphene.Field(
        RecordEventsPayload,
        required=True,
        input=RecordEventsInput(required=True),
        description="The sink's door (scope `sink`): one transaction, idempotent by (task, attempt).",
    )
    claim_task = graphene.Field(
        ClaimTaskPayload,
        required=True,
        input=ClaimTaskInput(required=True),
        description="A worker's question about a delivery that may be a duplicate (scope `worker`).",
    )

    def resolve_create_task(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        caller = info.context.caller
        caller.require(Scope.TASKS_WRITE)
        try:
            task = services.create(user=caller.user, draft=draft(input, database_now()))
        except Refused as refused:
            return {"task": None, "user_errors": refusal(refused)}
        fetch([task], requested(info, "task"))
        return {"task": task, "user_errors": []}

    def resolve_create_tasks(root: None, info: GraphQLResolveInfo, input: list[dict[str, Any]]) -> dict[str, Any]:
        caller = info.context.caller
        caller.require(Scope.TASKS_WRITE)
        now = database_now()
        try:
            tasks = services.create_many(user=caller.user, drafts=[draft(data, now) for data in input])
        except Refused as refused:
            return {"tasks": [], "user_errors": refusal(refused)}
        fetch(tasks, requested(info, "tasks"))
        return {"tasks": tasks, "user_errors": []}

    def resolve_delete_task(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        caller = info.context.caller
        caller.require(Scope.TASKS_WRITE)
        number = key_of("Task", input["id"])
        deletion = services.delete(user=caller.user, numbers=[number])
        if number in deletion.deleted:
            return {"deleted_task_id": to_global_id("Task", number), "user_errors": []}
        if number in deletion.refused:
            return _not_deleted(deletion.refused[number], "NOT_ALLOWED_IN_STATUS")
        return _not_deleted(f"There is no task {number}.", "NOT_FOUND")

    def resolve_record_events(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        info.context.caller.require(Scope.SINK)
        batches = input["batches"]
        count = sum(_length(batch) for batch in batches)
        if count > MOST_EVENTS:
            return _not_recorded(f"At most {MOST_EVENTS:,} events at once (there are {count:,}).", "LIMIT_REACHED")
        try:
            return {"verdicts": recording.record(batches), "user_errors": []}
        except BadMessage as error:
            return _not_recorded(f"A batch is malformed: {error}", "INVALID")

    def resolve_claim_task(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        info.context.caller.require(Scope.WORKER)
        return {"verdict": recording.claim(input["task"], input["attempt"])}


def _length(batch: Any) -> int:
    events = batch.get("events") if isinstance(batch, dict) else None
    return len(events) if isinstance(events, list) else 0


def _not_deleted(message: str, code: str) -> dict[str, Any]:
    return {"deleted_task_id": None, "user_errors": user_errors([Problem(field=("id",), message=message, code=code)])}


def _not_recorded(message: str, code: str) -> dict[str, Any]:
    problem = Problem(field=("batches",), message=message, code=code)
    return {"verdicts": [], "user_errors": user_errors([problem])}
