"""What happened to a task, in GraphQL."""

from __future__ import annotations

import graphene

from apps.api.schema import DateTime
from apps.tasks.events import What

TEXTS = {
    What.CREATED: "Saved.",
    What.DUE: "Its next attempt may begin, or will be allowed to then.",
    What.HANDED_OVER: "RabbitMQ has its current attempt.",
    What.STARTED: "A worker began an attempt.",
    What.FINISHED: "An attempt returned.",
    What.FAILED: "An attempt ended with an error; another may follow.",
    What.CANCELLED: "Somebody cancelled it.",
}
TaskEventType = graphene.Enum.from_enum(
    What, name="TaskEventType", description=lambda value: TEXTS[value] if value else "What happened."
)


class TaskEvent(graphene.ObjectType):
    """One line of a task's timeline."""

    at = DateTime(required=True, description="In the future when it is to come.")
    type = graphene.Field(TaskEventType, required=True)
    actor = graphene.String(description="The person who created it, or the worker.")
    text = graphene.String(required=True)
