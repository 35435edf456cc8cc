"""The feed of what changes, in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene
from graphql_relay import from_global_id, to_global_id

from apps.accounts.permissions import Scope
from apps.api.errors import BadInput, CursorExpired
from apps.api.selection import requested
from apps.tasks import changes
from apps.tasks.changes import Place
from apps.tasks.fetching import fetch, without_unasked
from apps.tasks.models import Task
from apps.tasks.schema_types import TaskType

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from apps.accounts.permissions import Caller

DEFAULT, MOST = 200, 1_000
CURSOR = "changes"
EXPIRED = f"What has changed since this cursor is not kept (only of {changes.KEPT.days} days). Begin again without one."


class TaskChanges(graphene.ObjectType):
    """Tasks as they are now, each once, in the order in which they have changed; and what is gone."""

    tasks = graphene.List(graphene.NonNull(TaskType), required=True)
    deleted_ids = graphene.List(graphene.NonNull(graphene.ID), required=True)
    cursor = graphene.String(required=True, description="What to give as `after` the next time, now or in days.")
    more = graphene.Boolean(required=True, description="Whether to ask again at once.")


class Query(graphene.ObjectType):
    task_changes = graphene.Field(
        TaskChanges,
        required=True,
        after=graphene.String(description="The `cursor` of the last answer; without it all tasks come first."),
        first=graphene.Int(default_value=DEFAULT, description=f"How many at most, up to {MOST:,}."),
        from_now=graphene.Boolean(
            default_value=False, description="Without `after`: leave out what there is, and tell the cursor of now."
        ),
        description="Everything that has changed after `cursor`, in order: to mirror tasks elsewhere, or to wait.",
    )

    def resolve_task_changes(
        root: None, info: GraphQLResolveInfo, first: int | None, after: str | None = None, from_now: bool | None = None
    ) -> dict[str, Any]:
        first = DEFAULT if first is None else first
        caller: Caller = info.context.caller
        caller.require(Scope.TASKS_READ)
        if not 1 <= first <= MOST:
            raise BadInput(f"first must be from 1 to {MOST:,} (got {first}).")
        try:
            found = changes.since(_place(after, from_now=bool(from_now)), caller.user, first)
        except changes.TooOld:
            raise CursorExpired(EXPIRED) from None
        asked = requested(info, "tasks")
        # After the notes: what has changed meanwhile shows by now, and is told once more.
        mine = without_unasked(Task.objects.visible_to(caller.user), asked).in_bulk(found.changed)
        tasks = [mine[number] for number in found.changed if number in mine]
        fetch(tasks, asked)
        return {
            "tasks": tasks,
            "deleted_ids": [to_global_id("Task", number) for number in found.gone],
            "cursor": to_global_id(CURSOR, str(found.place)),
            "more": found.more,
        }


def _place(after: str | None, *, from_now: bool) -> Place:
    """Raises BadInput."""
    if after is None:
        return changes.now() if from_now else changes.beginning()
    if from_now:
        raise BadInput("Give after or fromNow, not both.")
    kind, text = from_global_id(after)  # two empty texts when it is none
    place = Place.read(text) if kind == CURSOR else None
    if place is None:
        raise BadInput(f"after is not a cursor of taskChanges: {after!r:.80}")
    return place
