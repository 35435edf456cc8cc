"""Where a waiting task stands, in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from apps.api.errors import BadInput
from apps.api.schema import DateTime
from apps.queues import limits, pauses
from apps.tasks import turns
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import Status
from apps.tasks.sentences import that_serve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.api.context import Context
    from apps.queues.models import Worker
    from apps.tasks.models import Task

MOST_WAITING = 20  # each counts what stands before it


class Waiting(graphene.ObjectType):
    """Where a task stands that has not begun."""

    position = graphene.Int(
        description=f"1 begins next. Null when it waits for more than its turn, or stands behind {turns.PLACE_CAP:,}."
    )
    queue_paused = graphene.Boolean(required=True)
    workers_serving = graphene.Int(required=True, description="Those that take tasks of its queue now.")
    estimated_start = DateTime(description="About; null when that cannot be told.")


def waiting_of(task: Task, context: Context, live_workers: Sequence[Worker]) -> dict[str, Any] | None:
    """Raises BadInput when a query asks for too many."""
    if task.status != Status.QUEUEING:
        return None
    asked = context.once(_count)
    asked.append(1)
    if len(asked) > MOST_WAITING:
        raise BadInput(f"At most {MOST_WAITING} waiting tasks in one query: ask for fewer of them at once.")
    now = context.once(database_now)
    paused = task.queue in context.once(pauses.current)
    here = that_serve(task.queue, live_workers)
    is_later = task.dispatch_at is not None and task.dispatch_at > now
    turn = None if paused or is_later or not here else turns.of(task, here, now)
    return {
        "position": turn.place if turn and turn.place <= turns.PLACE_CAP else None,
        "queue_paused": paused,
        "workers_serving": len(here),
        "estimated_start": turn.starts_at if turn and task.queue not in context.once(limits.current) else None,
    }


def _count() -> list[int]:
    return []
