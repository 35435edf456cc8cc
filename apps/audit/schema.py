"""The audit log in GraphQL."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import graphene
from graphene import relay
from graphene_django import DjangoObjectType

from apps.accounts.permissions import Scope
from apps.api.errors import BadInput
from apps.api.keyset import Order
from apps.api.paging import page
from apps.api.schema import Connection, DateTimeRange, key_of
from apps.audit.models import Entry, Result, Way
from workers.messages import storable

if TYPE_CHECKING:
    from datetime import datetime

    from graphql import GraphQLResolveInfo

    from apps.accounts.permissions import Caller
    from apps.api.paging import Page
    from apps.audit.models import EntryQuerySet

NEWEST_FIRST = Order(column="pk")

AuditResult = graphene.Enum.from_enum(
    Result, name="AuditResult", description=lambda value: None if value else "How an act ended."
)
AuditWay = graphene.Enum.from_enum(
    Way, name="AuditWay", description=lambda value: None if value else "By which door somebody came."
)


class AuditEntry(DjangoObjectType):
    """Who did what, when, and from where."""

    class Meta:
        model = Entry
        name = "AuditEntry"
        fields = ("at", "act", "details", "address")
        interfaces = (relay.Node,)

    person = graphene.String(required=True, description="The name at that time; empty when nobody had signed in.")
    object = graphene.String(required=True, description="Such as `task 12`; the first of `count`.")
    count = graphene.Int(required=True, description="Of how many things; of what was refused, how often.")
    result = graphene.Field(AuditResult, required=True)
    way = graphene.Field(AuditWay, required=True)
    token = graphene.String(description="The beginning of the token that was shown.")

    def resolve_person(entry: Entry, info: GraphQLResolveInfo) -> str:
        return entry.name

    def resolve_token(entry: Entry, info: GraphQLResolveInfo) -> str | None:
        return entry.token or None


class AuditEntryEdge(graphene.ObjectType):
    """An entry and its cursor."""

    node = graphene.Field(AuditEntry, required=True)
    cursor = graphene.String(required=True)


class AuditEntryConnection(Connection):
    """A page of the audit log."""

    edges = graphene.List(graphene.NonNull(AuditEntryEdge), required=True)
    nodes = graphene.List(graphene.NonNull(AuditEntry), required=True)


class AuditFilter(graphene.InputObjectType):
    """Entries of which all of this is true."""

    person = graphene.String(description="A name.")
    act = graphene.String(description="Such as `task.cancel`.")
    object = graphene.String(description="Such as `task 12`.")
    at = DateTimeRange()


class Query(graphene.ObjectType):
    audit_entries = graphene.Field(
        AuditEntryConnection,
        required=True,
        first=graphene.Int(description="How many from the newest: 50 unless told, at most 100."),
        after=graphene.String(),
        last=graphene.Int(description="How many from the oldest."),
        before=graphene.String(),
        filter=AuditFilter(),
        description="What was done, the newest first (staff, scope `ops`).",
    )

    def resolve_audit_entries(
        root: None, info: GraphQLResolveInfo, filter: dict[str, Any] | None = None, **position: Any
    ) -> Page:
        return page(_filtered(_readable(info.context.caller), filter or {}), order=NEWEST_FIRST, **position)


def node(caller: Caller, key: str) -> Entry | None:
    return _readable(caller).filter(pk=key_of("AuditEntry", key)).first()


NODES = {"AuditEntry": node}


def _readable(caller: Caller) -> EntryQuerySet:
    caller.require(Scope.OPS)
    return Entry.objects.visible_to(caller.user)


def _filtered(entries: EntryQuerySet, wanted: dict[str, Any]) -> EntryQuerySet:
    texts = {name: wanted[name] for name in ("person", "act", "object") if wanted.get(name) is not None}
    for name, text in texts.items():
        if not storable(text):
            raise BadInput(f"{name} is not valid Unicode: a NUL or half of a surrogate pair.")
    span = {name: moment for name, moment in (wanted.get("at") or {}).items() if moment is not None}
    return entries.about(**texts).within((name, _in_utc(moment, f"at.{name}")) for name, moment in span.items())


def _in_utc(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise BadInput(f"{name} needs a time zone, such as 2026-03-01T12:00:00Z.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise BadInput(f"{name} is not a time that can be stored.") from None
