"""Failed tasks by cause in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from apps.accounts.permissions import Scope
from apps.api.errors import BadInput
from apps.api.schema import DateTime
from apps.api.selection import requested
from apps.tasks import failures
from apps.tasks.fetching import fetch
from apps.tasks.models import Task
from apps.tasks.schema_types import TaskType

if TYPE_CHECKING:
    from datetime import datetime

    from graphql import GraphQLResolveInfo

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
        if since is not None and since.tzinfo is None:
            raise BadInput("since needs a time zone, such as 2026-03-01T12:00:00Z.")
        user = info.context.caller.user
        groups = failures.find(user, most=first, since=since).groups
        samples: dict[int, Task] = Task.objects.visible_to(user).in_bulk([group.sample for group in groups])
        fetch(list(samples.values()), requested(info, "sample"))
        return [_answer(group, samples[group.sample]) for group in groups if group.sample in samples]


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
