"""Queues in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphene import relay
from graphene_django import DjangoObjectType

from apps.queues.models import Queue

if TYPE_CHECKING:
    from apps.accounts.permissions import Caller


class QueueType(DjangoObjectType):
    """A named line of waiting tasks."""

    class Meta:
        model = Queue
        name = "Queue"
        fields = ("name",)
        interfaces = (relay.Node,)


def node(_caller: Caller, key: str) -> Queue | None:
    return Queue.objects.filter(name=key).first()


NODES = {"Queue": node}
