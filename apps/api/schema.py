"""The GraphQL types that belong to no single app: JSON, ids, pages of a list, a caller's mistakes."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import graphene
from django.db import models
from graphene import relay
from graphene_django.converter import convert_django_field, get_django_field_description
from graphql import GraphQLError, StringValueNode, value_from_ast_untyped
from graphql_relay import from_global_id

from apps.api.errors import BadInput
from apps.api.keyset import BIGGEST_ID
from workers.messages import storable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from graphql import GraphQLResolveInfo, ValueNode

    from apps.api.paging import Page
    from apps.tasks.drafts import Problem

MOST_USER_ERRORS = 100


class JSON(graphene.Scalar):
    """Any JSON value."""

    @staticmethod
    def serialize(value: Any) -> Any:
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        return value

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        return value_from_ast_untyped(node, variables)


class DateTime(graphene.DateTime):
    """A date and time as in ISO 8601, such as 2026-03-01T12:00:00Z."""

    @classmethod
    def parse_literal(cls, node: ValueNode, _variables: dict[str, Any] | None = None) -> datetime:
        return cls.parse_value(node.value if isinstance(node, StringValueNode) else None)

    @staticmethod
    def parse_value(value: Any) -> datetime:
        with suppress(GraphQLError, OverflowError):
            if isinstance(value, str):
                moment: datetime = graphene.DateTime.parse_value(value)
                return moment
        raise GraphQLError("A date and time must look like 2026-03-01T12:00:00Z.")


@convert_django_field.register(models.DateTimeField)
def _date_time(field: Any, registry: Any = None) -> DateTime:  # noqa: ARG001
    """Of models' fields too: of two types with one name graphene takes the first that it meets."""
    return DateTime(description=get_django_field_description(field), required=not field.null)


class UserErrorCode(graphene.Enum):
    """What kind of mistake it is."""

    BLANK = "BLANK"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TOO_LARGE = "TOO_LARGE"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    NOT_ALLOWED_IN_STATUS = "NOT_ALLOWED_IN_STATUS"
    FORBIDDEN = "FORBIDDEN"
    LIMIT_REACHED = "LIMIT_REACHED"
    COUNT_CHANGED = "COUNT_CHANGED"


class UserError(graphene.ObjectType):
    """A mistake the caller can put right. `field` is the path into `input`, null when it is about the whole."""

    field = graphene.List(graphene.NonNull(graphene.String))
    message = graphene.NonNull(graphene.String)
    code = graphene.NonNull(UserErrorCode)


def UserErrors() -> graphene.List:  # noqa: N802 stands among graphene's types
    """The field `userErrors` of a payload."""
    return graphene.List(graphene.NonNull(UserError), required=True)


def user_errors(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """The first of them; what is left out is counted in a last one."""
    errors = [
        {"field": list(problem.field) or None, "message": problem.message, "code": problem.code} for problem in problems
    ]
    if (more := len(errors) - MOST_USER_ERRORS) <= 0:
        return errors
    last = {"field": None, "message": f"And {more:,} more like these.", "code": "LIMIT_REACHED"}
    return [*errors[:MOST_USER_ERRORS], last]


class OrderDirection(graphene.Enum):
    """Which end of a list comes first."""

    ASC = "ASC"
    DESC = "DESC"


class DateTimeRange(graphene.InputObjectType):
    """A span of time: from `gte` on, before `lt`."""

    gte = DateTime()
    lt = DateTime()


class Connection(graphene.ObjectType):
    """A page of a list: `nodes` are its rows, `edges` the same with their cursors. Resolved from a `paging.Page`."""

    class Meta:
        abstract = True

    page_info = graphene.NonNull(relay.PageInfo)

    def resolve_edges(page: Page, info: GraphQLResolveInfo) -> list[dict[str, Any]]:
        return [{"node": row, "cursor": cursor} for row, cursor in zip(page.rows, page.cursors, strict=True)]

    def resolve_nodes(page: Page, info: GraphQLResolveInfo) -> list[Any]:
        return list(page.rows)

    def resolve_page_info(page: Page, info: GraphQLResolveInfo) -> dict[str, Any]:
        ends = [page.cursors[0], page.cursors[-1]] if page.cursors else [None, None]
        return {
            "has_next_page": page.has_next_page,
            "has_previous_page": page.has_previous_page,
            "start_cursor": ends[0],
            "end_cursor": ends[1],
        }


def key_of(type_name: str, text: str) -> int:
    """The number in a global id of this type, or the plain number itself. Raises BadInput."""
    number = text if _is_number(text) else _split(text)[1]
    if not _is_number(number) or (number != text and _split(text)[0] != type_name):
        raise BadInput(f"This is not the id of a {type_name}: {text!r:.80}")
    return int(number)


def type_and_key(text: str) -> tuple[str, str]:
    """The two parts of a global id. Raises BadInput."""
    kind, key = _split(text)
    if not (key and storable(key)):
        raise BadInput(f"This is not an id: {text!r:.80}")
    return kind, key


def finite(number: float | None) -> float | None:
    """GraphQL has no word for NaN and infinity."""
    return number if number is not None and math.isfinite(number) else None


def _split(text: str) -> tuple[str, str]:
    kind, key = from_global_id(text)  # two empty texts when it is none
    return kind, key


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= BIGGEST_ID
