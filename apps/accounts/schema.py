"""Users in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from graphene import relay
from graphene_django import DjangoObjectType

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from apps.accounts.permissions import Caller


class UserType(DjangoObjectType):
    """A person."""

    class Meta:
        model = User
        name = "User"
        fields = ("id",)
        interfaces = (relay.Node,)

    username = graphene.String(required=True)


class Query(graphene.ObjectType):
    viewer = graphene.Field(UserType, required=True, description="Who asks.")

    def resolve_viewer(root: None, info: GraphQLResolveInfo) -> object:
        caller: Caller = info.context.caller
        if caller.user.is_anonymous:
            raise PermissionDenied("This token belongs to a process, not to a person.")
        return caller.user


def node(caller: Caller, key: str) -> User | None:
    """Nobody else is shown by id."""
    return caller.user if isinstance(caller.user, User) and key == str(caller.user.pk) else None


NODES = {"User": node}
