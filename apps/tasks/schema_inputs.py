"""What GraphQL takes about tasks, and how it becomes a draft or a filter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import graphene

from apps.api.errors import BadInput
from apps.api.schema import JSON, DateTime, DateTimeRange, OrderDirection, key_of, user_errors
from apps.tasks.clock import database_now
from apps.tasks.drafts import Draft, Problem
from apps.tasks.folding import folded
from apps.tasks.matching import matching
from apps.tasks.models import NAME_LENGTH
from apps.tasks.orders import NEWEST_FIRST, ORDERS
from apps.tasks.priority import HIGHEST, LOWEST
from apps.tasks.schema_statuses import TaskReason, TaskStatus
from apps.tasks.search import Mistake, parse
from apps.tasks.search_values import Clock
from workers.messages import storable

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.accounts.permissions import Person
    from apps.api.keyset import Order
    from apps.tasks.drafts import Refused
    from apps.tasks.querysets import TaskQuerySet

MOST_IDS = 1_000
CODE_KIND = "code.python"
TWICE = "Give code, or params with code, or another kind: not two of them."


class TaskOrderField(graphene.Enum):
    """What tasks can be ordered by."""

    CREATED_AT = "created"
    STARTED_AT = "started"
    FINISHED_AT = "finished"
    NAME = "name"
    KIND = "kind"
    STATUS = "status"
    VALUE = "value"
    RUN_SECONDS = "ran"
    PRIORITY = "priority"
    QUEUE = "queue"
    WORKER = "worker"

    @property
    def description(self) -> str | None:
        return WITHOUT if self and self.value in {"started", "finished", "value", "ran"} else None


WITHOUT = "Tasks that have none stand last, in both directions."


class TaskOrder(graphene.InputObjectType):
    """The newest first unless told."""

    field = TaskOrderField(required=True)
    direction = OrderDirection(required=True)


class TaskFilter(graphene.InputObjectType):
    """Tasks that fulfil everything that is given; of a list any one will do."""

    ids = graphene.List(graphene.NonNull(graphene.ID), description=f"At most {MOST_IDS:,}.")
    status = graphene.List(graphene.NonNull(TaskStatus))
    kind = graphene.List(graphene.NonNull(graphene.String))
    name = graphene.String(description="Is part of the name; upper and lower case are the same.")
    reason = graphene.List(graphene.NonNull(TaskReason))
    queue = graphene.List(graphene.NonNull(graphene.String))
    created_by = graphene.ID(description="The id of a user.")
    created_at = DateTimeRange()
    finished_at = DateTimeRange()
    fingerprint = graphene.ID(description="Failed for this cause: that of one of `failureGroups`.")


class RunOptions(graphene.InputObjectType):
    """How it is to be run: at once, with its kind's limits, unless told."""

    queue = graphene.String(description="One of `queues`; that of its kind unless told.")
    run_after = DateTime(description="With a time zone; in the past means at once.")
    delay_seconds = graphene.Float(description="From now, at most ten years.")
    priority = graphene.Int(
        description=f"Of what waits in its queue the higher is handed over first: {LOWEST} to {HIGHEST}, 0 unless told."
    )
    timeout_seconds = graphene.Float(description="How long an attempt may run before it is stopped; at most 7 days.")
    max_attempts = graphene.Int(
        description="How many attempts may end with an error before it has failed; at most 100."
    )
    idempotency_key = graphene.String(
        description="Sent again with the same key and input, it answers with the same task instead of a second one."
    )


class CreateTaskInput(graphene.InputObjectType):
    """A task to be."""

    name = graphene.String(required=True)
    kind = graphene.String(description=f"One of `kinds`; {CODE_KIND} when there is `code`.")
    code = graphene.String(description=f"Python to run: the parameter `code` of {CODE_KIND}, by a shorter way.")
    params = JSON(description="An object, as the kind's `schema` describes it; {} when left out.")
    options = RunOptions()


def filtered(tasks: TaskQuerySet, wanted: dict[str, Any] | None) -> TaskQuerySet:
    """Raises BadInput."""
    for name, value in (wanted or {}).items():
        if value is not None:
            tasks = _CONDITIONS[name](tasks, value)
    return tasks


def searched(tasks: TaskQuerySet, user: Person, query: str | None) -> TaskQuerySet:
    """Those that the search box's own language finds among these. Raises BadInput."""
    if not query:
        return tasks
    try:
        found = matching(parse(query, Clock(now=database_now())), user).all
    except Mistake as mistake:
        raise BadInput(f"query: {mistake.sentence}") from None
    return tasks & found


def ordered(wanted: dict[str, Any] | None) -> Order:
    if wanted is None:
        return NEWEST_FIRST
    return replace(ORDERS[wanted["field"].value], descending=wanted["direction"] == OrderDirection.DESC)


def draft(data: dict[str, Any]) -> Draft:
    kind, params, unfit = _asked_for(data)
    options = data.get("options")
    if not options:
        return Draft(name=data["name"], kind=kind, params=params, problems=unfit)
    run_at, problems = _run_at(options.get("run_after"))
    return Draft(
        name=data["name"],
        kind=kind,
        params=params,
        run_at=run_at,
        delay_seconds=options.get("delay_seconds"),
        queue=options.get("queue"),
        priority=options.get("priority") or 0,
        timeout_seconds=options.get("timeout_seconds"),
        max_attempts=options.get("max_attempts"),
        idempotency_key=options.get("idempotency_key"),
        problems=(*problems, *unfit),
    )


def _asked_for(data: dict[str, Any]) -> tuple[str, Any, tuple[Problem, ...]]:
    """Kind and parameters, and what is wrong with how they were given."""
    kind, code = data.get("kind") or "", data.get("code")
    params = {} if data.get("params") is None else data["params"]
    if code is None:
        return kind, params, ()
    if kind not in ("", CODE_KIND) or not isinstance(params, dict) or "code" in params:
        return kind or CODE_KIND, params, (Problem(field=("code",), message=TWICE, code="CONFLICT"),)
    return CODE_KIND, {**params, "code": code}, ()


def refusal(refused: Refused) -> list[dict[str, Any]]:
    """The problems of drafts as `userErrors`, with the fields' names in the input."""
    return user_errors(replace(problem, field=_in_input(problem.field)) for problem in refused.problems)


def _in_input(path: tuple[str, ...]) -> tuple[str, ...]:
    if not path or "params" in path or path[-1] not in _OPTIONS:
        return path
    return (*path[:-1], "options", _OPTIONS[path[-1]])


_OPTIONS = {
    "queue": "queue",
    "run_at": "runAfter",
    "delay_seconds": "delaySeconds",
    "priority": "priority",
    "timeout_seconds": "timeoutSeconds",
    "max_attempts": "maxAttempts",
    "idempotency_key": "idempotencyKey",
}


def _by_ids(tasks: TaskQuerySet, ids: list[str]) -> TaskQuerySet:
    if len(ids) > MOST_IDS:
        raise BadInput(f"filter.ids may name at most {MOST_IDS:,} tasks (got {len(ids):,}).")
    return tasks.filter(pk__in=[key_of("Task", text) for text in ids])


def _by_status(tasks: TaskQuerySet, statuses: list[str]) -> TaskQuerySet:
    return tasks.filter(status__in=statuses)


def _by_reason(tasks: TaskQuerySet, reasons: list[str]) -> TaskQuerySet:
    return tasks.filter(reason__in=reasons)


def _by_kind(tasks: TaskQuerySet, kinds: list[str]) -> TaskQuerySet:
    return tasks.filter(kind__in=_named(kinds, "kind"))


def _by_queue(tasks: TaskQuerySet, queues: list[str]) -> TaskQuerySet:
    return tasks.filter(queue__in=_named(queues, "queue"))


def _named(names: list[str], what: str) -> list[str]:
    if len(names) > MOST_IDS:
        raise BadInput(f"filter.{what} may name at most {MOST_IDS:,} {what}s (got {len(names):,}).")
    if not all(storable(name) for name in names):
        raise BadInput(f"filter.{what} is not valid Unicode: a NUL or half of a surrogate pair.")
    return names


def _by_name(tasks: TaskQuerySet, part: str) -> TaskQuerySet:
    if not storable(part):
        raise BadInput("filter.name is not valid Unicode: a NUL or half of a surrogate pair.")
    if len(part) > NAME_LENGTH:
        raise BadInput(f"filter.name may have at most {NAME_LENGTH} characters, as a name (it has {len(part):,}).")
    return tasks.filter(folded("name__icontains", part))


def _by_creator(tasks: TaskQuerySet, person: str) -> TaskQuerySet:
    return tasks.filter(created_by_id=key_of("User", person))


def _by_created_at(tasks: TaskQuerySet, span: dict[str, datetime | None]) -> TaskQuerySet:
    return _within(tasks, span, "created_at", "createdAt")


def _by_finished_at(tasks: TaskQuerySet, span: dict[str, datetime | None]) -> TaskQuerySet:
    return _within(tasks, span, "finished_at", "finishedAt")


def _within(tasks: TaskQuerySet, span: dict[str, datetime | None], column: str, name: str) -> TaskQuerySet:
    for end in ("gte", "lt"):
        time = span.get(end)
        if time is not None:
            tasks = tasks.filter(**{f"{column}__{end}": _in_utc(time, f"filter.{name}.{end}")})
    return tasks


def _by_fingerprint(tasks: TaskQuerySet, fingerprint: str) -> TaskQuerySet:
    if not storable(fingerprint):
        raise BadInput("filter.fingerprint is not valid Unicode: a NUL or half of a surrogate pair.")
    return tasks.filter(cause=fingerprint)


_CONDITIONS: dict[str, Callable[[TaskQuerySet, Any], TaskQuerySet]] = {
    "ids": _by_ids,
    "status": _by_status,
    "reason": _by_reason,
    "kind": _by_kind,
    "queue": _by_queue,
    "name": _by_name,
    "created_by": _by_creator,
    "created_at": _by_created_at,
    "finished_at": _by_finished_at,
    "fingerprint": _by_fingerprint,
}


def _run_at(run_after: datetime | None) -> tuple[datetime | None, tuple[Problem, ...]]:
    try:
        return (run_after and _in_utc(run_after, "runAfter")), ()
    except BadInput as error:
        return None, (Problem(field=("run_at",), message=error.message),)


def _in_utc(time: datetime, name: str) -> datetime:
    if time.tzinfo is None:
        raise BadInput(f"{name} needs a time zone, such as 2026-03-01T12:00:00Z.")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise BadInput(f"{name} is not a time that can be stored.") from None
