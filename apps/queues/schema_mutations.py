"""Queues and workers in GraphQL: what can be done with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import graphene
from graphql_relay import from_global_id

from apps.accounts.permissions import Scope
from apps.api.schema import UserErrors, user_errors
from apps.queues import limits, services
from apps.queues.models import Queue
from apps.queues.schema import QueueType
from apps.queues.schema_workers import WorkerType
from apps.tasks.drafts import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from graphql import GraphQLResolveInfo

    from apps.queues.models import Worker


LIMITS = {"concurrency_limit": "concurrencyLimit", "rate_per_minute": "ratePerMinute"}


class QueueActionInput(graphene.InputObjectType):
    """Which queue."""

    name = graphene.String(required=True)


class QueuePayload(graphene.ObjectType):
    """The queue as it is now, or null and what is wrong."""

    queue = graphene.Field(QueueType)
    user_errors = UserErrors()


class UpdateQueueInput(graphene.InputObjectType):
    """What is left out stays; null takes the limit away."""

    name = graphene.String(required=True)
    concurrency_limit = graphene.Int(description=f"1 to {limits.MOST_AT_ONCE:,}.")
    rate_per_minute = graphene.Float(description=f"{limits.LEAST_PER_MINUTE} to {limits.MOST_PER_MINUTE:,}.")


class PurgeQueuePayload(graphene.ObjectType):
    """The queue as it is now, or null and what is wrong."""

    queue = graphene.Field(QueueType)
    cancelled_count = graphene.Int(required=True)
    left_count = graphene.Int(
        required=True, description="Of very many some are left for another call; more than 0 says so."
    )
    user_errors = UserErrors()


class WorkerActionInput(graphene.InputObjectType):
    """Which worker."""

    id = graphene.ID(required=True, description="Its id, or its name.")


class WorkerPayload(graphene.ObjectType):
    """The worker as it is known now, or null and what is wrong. It says within seconds that it has heard."""

    worker = graphene.Field(WorkerType)
    user_errors = UserErrors()


def _queue_field(description: str, payload: type[graphene.ObjectType] = QueuePayload) -> graphene.Field:
    return graphene.Field(payload, required=True, input=QueueActionInput(required=True), description=description)


def _worker_field(description: str) -> graphene.Field:
    return graphene.Field(WorkerPayload, required=True, input=WorkerActionInput(required=True), description=description)


class Mutation(graphene.ObjectType):
    pause_queue = _queue_field("Have nothing of it begin until it is resumed; what runs runs on (scope `ops`).")
    resume_queue = _queue_field("Have its tasks begin again (scope `ops`).")
    update_queue = graphene.Field(
        QueuePayload,
        required=True,
        input=UpdateQueueInput(required=True),
        description="Limit how much of it runs at once, and begins in a minute (scope `ops`).",
    )
    purge_queue = _queue_field("Cancel everything that waits in it (scope `ops`).", PurgeQueuePayload)
    drain_worker = _worker_field("Have it begin nothing more, finish what it runs, and stay (scope `ops`).")
    stop_worker = _worker_field("Have it begin nothing more, finish what it runs, and leave (scope `ops`).")
    resume_worker = _worker_field("Have it take tasks again (scope `ops`).")

    def resolve_pause_queue(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _with_queue(info, input, services.pause_queue)

    def resolve_resume_queue(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _with_queue(info, input, services.resume_queue)

    def resolve_update_queue(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        asked = {name: input[name] for name in LIMITS if name in input}
        try:
            services.limit_queue(user=_operator(info), name=input["name"], asked=asked)
        except Refused as refused:
            return {"queue": None, "user_errors": user_errors(map(_in_input, refused.problems))}
        return {"queue": Queue(name=input["name"]), "user_errors": []}

    def resolve_purge_queue(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        try:
            purge = services.purge_queue(user=_operator(info), name=input["name"])
        except Refused as refused:
            errors = user_errors(refused.problems)
            return {"queue": None, "cancelled_count": 0, "left_count": 0, "user_errors": errors}
        counts = {"cancelled_count": purge.cancelled, "left_count": purge.left}
        return {"queue": Queue(name=input["name"]), **counts, "user_errors": []}

    def resolve_drain_worker(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _with_worker(info, input, services.drain_worker)

    def resolve_stop_worker(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _with_worker(info, input, services.stop_worker)

    def resolve_resume_worker(root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _with_worker(info, input, services.resume_worker)


def _in_input(problem: Problem) -> Problem:
    return replace(problem, field=tuple(LIMITS.get(part, part) for part in problem.field))


def _operator(info: GraphQLResolveInfo) -> User:
    caller = info.context.caller
    caller.require(Scope.OPS)
    user: User = caller.user
    return user


def _with_queue(info: GraphQLResolveInfo, input: dict[str, Any], service: Callable[..., bool]) -> dict[str, Any]:
    try:
        service(user=_operator(info), name=input["name"])
    except Refused as refused:
        return {"queue": None, "user_errors": user_errors(refused.problems)}
    return {"queue": Queue(name=input["name"]), "user_errors": []}


def _with_worker(info: GraphQLResolveInfo, input: dict[str, Any], service: Callable[..., Worker]) -> dict[str, Any]:
    kind, key = from_global_id(input["id"])
    name = key if kind == "Worker" else input["id"]
    try:
        return {"worker": service(user=_operator(info), name=name), "user_errors": []}
    except Refused as refused:
        return {"worker": None, "user_errors": user_errors(refused.problems)}
