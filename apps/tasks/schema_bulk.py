"""Acts on many tasks in GraphQL: on those of a list at once, on all that a search finds one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene
from graphene import relay
from graphene_django import DjangoObjectType
from graphql_relay import to_global_id

from apps.accounts.permissions import Scope
from apps.api.schema import DateTime, UserErrorCode, UserErrors, key_of, user_errors
from apps.tasks import services, sweeps
from apps.tasks.drafts import Problem, Refused
from apps.tasks.models import Sweep, Task
from apps.tasks.priority import HIGHEST, LOWEST
from apps.tasks.schema_inputs import TaskFilter, filtered
from apps.tasks.search import Mistake

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from graphql import GraphQLResolveInfo

    from apps.accounts.permissions import Caller

WHICH = "Give one of ids, query and filter: which tasks are meant."
HOW_MANY = "Say how many tasks you mean: nothing is done when there are more (now {count:,})."


class BulkAction(graphene.Enum):
    """What is done with each task."""

    RETRY = "retry"
    CANCEL = "cancel"
    DELETE = "delete"
    SET_PRIORITY = "priority"


class BulkTasksInput(graphene.InputObjectType):
    """Which tasks: those of `ids` or `filter`, at once; or all that `query` finds, one by one in the background."""

    action = BulkAction(required=True)
    ids = graphene.List(
        graphene.NonNull(graphene.ID), description=f"Ids or numbers, at most {services.MOST_AT_ONCE:,}."
    )
    filter = TaskFilter(description=f"As `tasks` takes it; at most {services.MOST_AT_ONCE:,} may fulfil it.")
    query = graphene.String(description="In the search box's own language; times are UTC, an empty text finds all.")
    expected_count = graphene.Int(
        description="How many are meant, which `query` and `filter` need. Nothing is done if there are more, or none."
    )
    priority = graphene.Int(description=f"What SET_PRIORITY sets: {LOWEST} to {HIGHEST}, of tasks that have not begun.")


class RefusedTask(graphene.ObjectType):
    """A task that was left as it is, and why."""

    number = graphene.Int(required=True)
    message = graphene.String(required=True)
    code = graphene.NonNull(UserErrorCode)


class BulkPayload(graphene.ObjectType):
    """What was done with the tasks of `ids` or `filter`, or what has begun with those of `query`."""

    affected_count = graphene.Int(required=True, description="With how many it was done by now.")
    refused = graphene.List(
        graphene.NonNull(RefusedTask),
        required=True,
        description="Those of `ids` or `filter` with which it was not done.",
    )
    matched_count = graphene.Int(description="How many tasks `query` or `filter` finds now.")
    operation = graphene.ID(description="What has begun with `query`: ask `bulkOperation` how far it has come.")
    user_errors = UserErrors()


class BulkOperation(DjangoObjectType):
    """An act on all tasks that a search finds, and how far it has come."""

    class Meta:
        model = Sweep
        name = "BulkOperation"
        fields = ("query", "stopped", "begun_at")
        interfaces = (relay.Node,)

    action = graphene.Field(BulkAction, required=True)
    priority = graphene.Int(description="What SET_PRIORITY sets.")
    count = graphene.Int(
        required=True,
        description="How many were expected. Those neither affected nor refused at the end had moved on by themselves.",
    )
    affected_count = graphene.Int(required=True)
    refused_count = graphene.Int(required=True)
    refusal = graphene.String(description="Why the first of those refused was.")
    percent = graphene.Int(required=True)
    ended_at = DateTime(description="Null until everything is done, or it was stopped.")

    def resolve_action(sweep: Sweep, info: GraphQLResolveInfo) -> str:
        return sweep.act

    def resolve_affected_count(sweep: Sweep, info: GraphQLResolveInfo) -> int:
        return sweep.done

    def resolve_refused_count(sweep: Sweep, info: GraphQLResolveInfo) -> int:
        return sweep.refused

    def resolve_refusal(sweep: Sweep, info: GraphQLResolveInfo) -> str | None:
        return sweep.refusal or None


class StopBulkOperationInput(graphene.InputObjectType):
    """Which one: the `operation` that `bulkTasks` told."""

    id = graphene.ID(required=True)


class StopBulkOperationPayload(graphene.ObjectType):
    """The operation as it is now, or null and what is wrong. It does at most the piece that it is at."""

    operation = graphene.Field(BulkOperation)
    user_errors = UserErrors()


class Query(graphene.ObjectType):
    bulk_operation = graphene.Field(
        BulkOperation, id=graphene.ID(required=True), description="One that the caller has begun."
    )

    def resolve_bulk_operation(root: None, info: GraphQLResolveInfo, id: str) -> Sweep | None:
        return operation_node(info.context.caller, id)


class Mutation(graphene.ObjectType):
    bulk_tasks = graphene.Field(
        BulkPayload,
        required=True,
        input=BulkTasksInput(required=True),
        description="Retry, cancel or delete many tasks, or give them another priority.",
    )
    stop_bulk_operation = graphene.Field(
        StopBulkOperationPayload,
        required=True,
        input=StopBulkOperationInput(required=True),
        description="Leave the rest as it is; what is done stays done.",
    )

    def resolve_bulk_tasks(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        caller = info.context.caller
        caller.require(Scope.TASKS_WRITE)
        ids, query = input.get("ids"), input.get("query")
        try:
            _check(input)
            if ids is not None:
                return _at_once(caller.user, input, sorted({key_of("Task", id_) for id_ in ids}))
            if query is None:
                return _filtered(caller.user, input)
            return _begun(caller.user, input, query or "")
        except Refused as refused:
            return _nothing(*refused.problems)

    def resolve_stop_bulk_operation(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        caller = info.context.caller
        caller.require(Scope.TASKS_WRITE)
        found = operation_node(caller, input["id"])
        if found is None:
            problem = Problem(
                field=("id",), message=f"You have begun no operation {input['id']:.100}.", code="NOT_FOUND"
            )
            return {"operation": None, "user_errors": user_errors([problem])}
        sweeps.stop(user=caller.user, number=found.pk)
        found.refresh_from_db()
        return {"operation": found, "user_errors": []}


def operation_node(caller: Caller, id_: str) -> Sweep | None:
    caller.require(Scope.TASKS_READ)
    key = key_of("BulkOperation", id_)
    return Sweep.objects.filter(user_id=caller.user.pk or 0, pk=key).first()


NODES = {"BulkOperation": operation_node}


def _check(input: dict[str, Any]) -> None:
    """Raises Refused."""
    if sum(input.get(way) is not None for way in ("ids", "query", "filter")) != 1:
        raise Refused([Problem(field=(), message=WHICH)])
    sets = input["action"].value == Sweep.Act.PRIORITY
    if sets and input.get("priority") is None:
        message = f"Say which: a whole number from {LOWEST} to {HIGHEST}."
        raise Refused([Problem(field=("priority",), message=message, code="BLANK")])
    if not sets and input.get("priority") is not None:
        raise Refused([Problem(field=("priority",), message="Only SET_PRIORITY takes one.")])


def _at_once(user: User, input: dict[str, Any], numbers: list[int]) -> dict[str, Any]:
    """Raises Refused."""
    if len(numbers) > services.MOST_AT_ONCE:
        message = f"At most {services.MOST_AT_ONCE:,} tasks at once (there are {len(numbers):,}): take query for more."
        raise Refused([Problem(field=("ids",), message=message, code="LIMIT_REACHED")])
    expected = input.get("expected_count")
    if expected is not None and sweeps.has_moved(len(numbers), expected):
        raise Refused([_moved(expected, f"ids names {_tasks(len(numbers))}.")])
    act = sweeps.service(input["action"].value, input.get("priority"))(user=user, numbers=numbers)
    done = set(act.done)
    refused = [_refused(number, act) for number in numbers if number not in done]
    return {"affected_count": len(done), "refused": refused, "user_errors": []}


def _filtered(user: User, input: dict[str, Any]) -> dict[str, Any]:
    """Raises Refused, BadInput."""
    expected, most = input.get("expected_count"), services.MOST_AT_ONCE
    found = filtered(Task.objects.visible_to(user), input["filter"]).order_by("pk").values_list("pk", flat=True)
    numbers = list(found[: most + 1])
    count = len(numbers) if len(numbers) <= most else found.order_by().count()
    if expected is None:
        problem = Problem(field=("expectedCount",), message=HOW_MANY.format(count=count), code="BLANK")
    elif sweeps.has_moved(count, expected):
        problem = _moved(expected, f"the filter finds {_tasks(count)} now.")
    elif count > most:
        message = f"At most {most:,} tasks at once (there are {count:,}): take query for more."
        problem = Problem(field=("filter",), message=message, code="LIMIT_REACHED")
    else:
        return {**_at_once(user, input, numbers), "matched_count": count}
    return {**_nothing(problem), "matched_count": count}


def _refused(number: int, act: services.Act) -> dict[str, Any]:
    code = "NOT_ALLOWED_IN_STATUS" if number in act.refused else "NOT_FOUND"
    code = "FORBIDDEN" if number in act.forbidden else code
    message = act.refused.get(number, f"There is no task {number}.")
    return {"number": number, "message": message, "code": code}


def _begun(user: User, input: dict[str, Any], text: str) -> dict[str, Any]:
    """Raises Refused."""
    act, expected = input["action"].value, input.get("expected_count")
    try:
        if expected is None:
            count = sweeps.count(user, text, "UTC")
            problem = Problem(field=("expectedCount",), message=HOW_MANY.format(count=count), code="BLANK")
            return {**_nothing(problem), "matched_count": count}
        priority = input.get("priority")
        sweep = sweeps.begin(user=user, act=act, text=text, zone="UTC", expected=expected, priority=priority)
    except Mistake as mistake:
        return _nothing(Problem(field=("query",), message=mistake.sentence))
    except sweeps.Moved as now:
        problem = _moved(input["expected_count"], f"the search finds {_tasks(now.count)} now.")
        return {**_nothing(problem), "matched_count": now.count}
    return {
        "affected_count": 0,
        "refused": [],
        "matched_count": sweep.matched,
        "operation": to_global_id("BulkOperation", sweep.pk),
        "user_errors": [],
    }


def _moved(expected: int, found: str) -> Problem:
    message = f"Nothing was done: {expected:,} {'was' if expected == 1 else 'were'} expected, {found}"
    return Problem(field=("expectedCount",), message=message, code="COUNT_CHANGED")


def _tasks(count: int) -> str:
    return f"{count:,} task{'' if count == 1 else 's'}"


def _nothing(*problems: Problem) -> dict[str, Any]:
    return {"affected_count": 0, "refused": [], "user_errors": user_errors(problems)}
