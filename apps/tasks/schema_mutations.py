"""Tasks in GraphQL: changing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene
from graphql_relay import to_global_id

from apps.accounts.permissions import Scope
from apps.api.schema import JSON, UserErrors, key_of, user_errors
from apps.api.selection import requested
from apps.tasks import clones, recording, services
from apps.tasks.drafts import Problem, Refused
from apps.tasks.fetching import fetch
from apps.tasks.models import Task
from apps.tasks.schema_inputs import CreateTaskInput, draft, refusal
from apps.tasks.schema_types import TaskType
from apps.tasks.standings import Verdict
from workers.messages import BadMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLResolveInfo

MOST_EVENTS = 1_000

EventVerdict = graphene.Enum.from_enum(
    Verdict, name="EventVerdict", description=lambda value: None if value else "What became of an event."
)


class TaskPayload(graphene.ObjectType):
    """The task, or null and what is wrong."""

    task = graphene.Field(TaskType)
    created = graphene.Boolean(required=True, description="False when its idempotency key was used before.")
    user_errors = UserErrors()


class TasksPayload(graphene.ObjectType):
    """The tasks in the order of the input, or none and what is wrong."""

    tasks = graphene.List(graphene.NonNull(TaskType), required=True)
    created_count = graphene.Int(required=True, description="Less than `tasks` by those whose keys were used before.")
    user_errors = UserErrors()


class TaskActionInput(graphene.InputObjectType):
    """Which task."""

    id = graphene.ID(required=True, description="Its id, or its number.")


class RetryTaskInput(TaskActionInput):
    """Which task; with `params` or `code`, of which a new one is made that is otherwise like it."""

    params = JSON(description="An object, in place of its own.")
    code = graphene.String(description="Python to run, in place of its own.")


class TaskActionPayload(graphene.ObjectType):
    """The task as it is now, or null and what is wrong."""

    task = graphene.Field(TaskType)
    user_errors = UserErrors()


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
    """Whether a delivery that may be a duplicate is still to be run; HELD: another worker has begun it."""

    RUN = "RUN"
    DROP = "DROP"
    HELD = "HELD"


class ClaimTaskInput(graphene.InputObjectType):
    """Which attempt, and who asks."""

    task = graphene.ID(required=True, description="Its id, or its number.")
    attempt = graphene.Int(required=True)
    worker = graphene.String(required=True)


class ClaimTaskPayload(graphene.ObjectType):
    """The answer to a worker."""

    verdict = graphene.Field(ClaimVerdict, required=True)
    holder = graphene.String(description="The worker that has begun it.")


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
    retry_task = graphene.Field(
        TaskActionPayload,
        required=True,
        input=RetryTaskInput(required=True),
        description="Make the next attempt of a task that has ended; or, with other input, a new task like it.",
    )
    cancel_task = graphene.Field(
        TaskActionPayload,
        required=True,
        input=TaskActionInput(required=True),
        description="Have it run by nobody: a waiting one never starts, a running one is killed.",
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
            task = services.create(user=caller.user, draft=draft(input))
        except Refused as refused:
            return {"task": None, "created": False, "user_errors": refusal(refused)}
        fetch([task], requested(info, "task"))
        return {"task": task, "created": not task.existed, "user_errors": []}

    def resolve_create_tasks(root: None, info: GraphQLResolveInfo, input: list[dict[str, Any]]) -> dict[str, Any]:
        caller = info.context.caller
        caller.require(Scope.TASKS_WRITE)
        try:
            tasks = services.create_many(user=caller.user, drafts=[draft(data) for data in input])
        except Refused as refused:
            return {"tasks": [], "created_count": 0, "user_errors": refusal(refused)}
        fetch(tasks, requested(info, "tasks"))
        return {"tasks": tasks, "created_count": sum(not task.existed for task in tasks), "user_errors": []}

    def resolve_retry_task(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        if input.get("params") is None and input.get("code") is None:
            return _acted(info, input, services.retry)
        caller = info.context.caller
        caller.require(Scope.TASKS_WRITE)
        changed = {"params": input.get("params"), "code": input.get("code")}
        try:
            task = clones.clone(user=caller.user, number=key_of("Task", input["id"]), **changed)
        except Refused as refused:
            return {"task": None, "user_errors": user_errors(refused.problems)}
        fetch([task], requested(info, "task"))
        return {"task": task, "user_errors": []}

    def resolve_cancel_task(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _acted(info, input, services.cancel)

    def resolve_delete_task(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        number, problems = _act(info, input, services.delete)
        return {"deleted_task_id": None if problems else to_global_id("Task", number), "user_errors": problems}

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
        verdict, holder = recording.claim(key_of("Task", input["task"]), input["attempt"])
        return {"verdict": verdict, "holder": holder or None}


def _length(batch: Any) -> int:
    events = batch.get("events") if isinstance(batch, dict) else None
    return len(events) if isinstance(events, list) else 0


def _act(
    info: GraphQLResolveInfo, input: dict[str, Any], service: Callable[..., services.Act]
) -> tuple[int, list[Any]]:
    """The task's number and what is wrong."""
    caller = info.context.caller
    caller.require(Scope.TASKS_WRITE)
    number = key_of("Task", input["id"])
    act = service(user=caller.user, numbers=[number])
    if number in act.done:
        return number, []
    code = "NOT_ALLOWED_IN_STATUS" if number in act.refused else "NOT_FOUND"
    code = "FORBIDDEN" if number in act.forbidden else code
    message = act.refused.get(number, f"There is no task {number}.")
    return number, user_errors([Problem(field=("id",), message=message, code=code)])


def _acted(info: GraphQLResolveInfo, input: dict[str, Any], service: Callable[..., services.Act]) -> dict[str, Any]:
    number, problems = _act(info, input, service)
    if problems:
        return {"task": None, "user_errors": problems}
    task = Task.objects.get(pk=number)
    fetch([task], requested(info, "task"))
    return {"task": task, "user_errors": []}


def _not_recorded(message: str, code: str) -> dict[str, Any]:
    problem = Problem(field=("batches",), message=message, code=code)
    return {"verdicts": [], "user_errors": user_errors([problem])}
