"""A task's status and its reason, in GraphQL."""

from __future__ import annotations

import graphene

from apps.tasks.lifecycle import Reason, Status

STATUS_TEXTS = {
    Status.QUEUEING: "Saved and waiting for a worker (also: scheduled for later).",
    Status.RUNNING: "A worker has it.",
    Status.FINISHED: "It returned; `value` / `result` hold what it returned.",
    Status.FAILED: "It will not run again by itself; `reason` says why.",
    Status.CANCELLED: "Somebody cancelled it; a late outcome does not change that.",
}

TaskStatus = graphene.Enum.from_enum(
    Status, name="TaskStatus", description=lambda value: STATUS_TEXTS[value] if value else "Where a task stands."
)
TaskReason = graphene.Enum.from_enum(
    Reason, name="TaskReason", description=lambda value: value.label if value else "Why a task is in its status."
)
