"""Failed tasks by cause in GraphQL, and what can be done with all of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from apps.accounts.permissions import Scope
from apps.api.errors import BadInput
from apps.api.schema import DateTime, UserErrors, user_errors
from apps.api.selection import requested
from apps.tasks import failure_acts, failures
from apps.tasks.drafts import Refused
from apps.tasks.failure_acts import Shown
from apps.tasks.fetching import fetch
from apps.tasks.models import Task
from apps.tasks.schema_types import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from graphql import GraphQLResolveInfo

    from apps.tasks.failure_acts import Done
    from apps.tasks.failures import Group

MOST = 100


class FailureGroup(graphene.ObjectType):
    """Failed tasks with one cause: the same error, raised at the same place in the handler's code."""

    fingerprint = graphene.ID(required=True, description="The same for the same cause, for ever.")
    type = graphene.String(required=True, description="Of the error, such as ValueError.")
    place = graphene.String(description="Where it was raised: file and function. Null when that is not known.")
    line = graphene.String(description="What stands there.")
    message = graphene.String(required=True, description="The beginning of the latest task's.")
    count = graphene.Int(required=True, description=f"Counted up to {failures.COUNT_CAP:,}; see `exact`.")
    exact = graphene.Boolean(required=True, description="False when the count has stopped at its limit.")
    first_seen_at = DateTime(required=True)
    last_seen_at = DateTime(required=True)
    sample = graphene.Field(TaskType, required=True, description="The task that failed last.")


class Query(graphene.ObjectType):
    failure_groups = graphene.List(
        graphene.NonNull(FailureGroup),
        required=True,
        since=DateTime(description="Only causes that have occurred from then on."),
        first=graphene.Int(description=f"How many: 50 unless told, at most {MOST}."),
        description="Failed tasks by cause, what occurred last first.",
    )

    def resolve_failure_groups(
        root: None, info: GraphQLResolveInfo, since: datetime | None = None, first: int = failures.MOST_SHOWN
    ) -> list[dict[str, Any]]:
        info.context.caller.require(Scope.TASKS_READ)
        if not 0 <= first <= MOST:
            raise BadInput(f"first must be from 0 to {MOST} (got {first}).")
        if since is not None:
            _check_zone("since", since)
        user = info.context.caller.user
        groups = failures.find(user, most=first, since=since).groups
        samples: dict[int, Task] = Task.objects.visible_to(user).in_bulk([group.sample for group in groups])
        fetch(list(samples.values()), requested(info, "sample"))
        return [_answer(group, samples[group.sample]) for group in groups if group.sample in samples]


class FailureGroupActionInput(graphene.InputObjectType):
    """Which cause, and what of it is meant: what has failed since is left alone, and nothing is done to many fewer."""

    fingerprint = graphene.ID(required=True)
    count = graphene.Int(required=True, description="As `failureGroups` told it.")
    last_seen_at = DateTime(required=True, description="As `failureGroups` told it.")


class FailureGroupPayload(graphene.ObjectType):
    """What became of its tasks."""

    done_count = graphene.Int(required=True)
    refused_count = graphene.Int(required=True, description="Of tasks with which this person may not do it.")
    refusal = graphene.String(description="Why, of the first of these.")
    left_count = graphene.Int(
        required=True, description="Of very many some are left for another call; more than 0 says so."
    )
    user_errors = UserErrors()


def _field(description: str) -> graphene.Field:
    wanted = FailureGroupActionInput(required=True)
    return graphene.Field(FailureGroupPayload, required=True, input=wanted, description=description)


class Mutation(graphene.ObjectType):
    retry_failure_group = _field("Make the next attempt of all failed tasks of one cause.")
    delete_failure_group = _field("Remove all failed tasks of one cause for good.")

    def resolve_retry_failure_group(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _act(info, input, failure_acts.retry)

    def resolve_delete_failure_group(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _act(info, input, failure_acts.delete)


def _act(info: GraphQLResolveInfo, input: dict[str, Any], service: Callable[..., Done]) -> dict[str, Any]:
    caller = info.context.caller
    caller.require(Scope.TASKS_WRITE)
    _check_zone("lastSeenAt", input["last_seen_at"])
    try:
        shown = Shown.of(input["count"], input["last_seen_at"])
        done = service(user=caller.user, cause=input["fingerprint"], shown=shown)
    except Refused as refused:
        errors = user_errors(refused.problems)
        return {"done_count": 0, "refused_count": 0, "left_count": 0, "user_errors": errors}
    return {
        "done_count": done.count,
        "refused_count": len(done.refused),
        "refusal": next(iter(done.refused.values()), None),
        "left_count": done.left,
        "user_errors": [],
    }


def _check_zone(name: str, moment: datetime) -> None:
    if moment.tzinfo is None:
        raise BadInput(f"{name} needs a time zone, such as 2026-03-01T12:00:00Z.")


def _answer(group: Group, sample: Task) -> dict[str, Any]:
    cause = group.cause
    return {
        "fingerprint": group.key,
        "type": cause.title,
        "place": f"{cause.file}, in {cause.function}" if cause.file else None,
        "line": cause.line or None,
        "message": group.message,
        "count": min(group.count, failures.COUNT_CAP),
        "exact": group.count <= failures.COUNT_CAP,
        "first_seen_at": group.first_at,
        "last_seen_at": group.last_at,
        "sample": sample,
    }
