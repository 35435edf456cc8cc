"""What a caller may read of an error: ours as they are, any other as a number that stands in the log too."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from graphql import GraphQLError

from apps.api.errors import ApiError
from config.errors import is_unstorable

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger()


class Busy(Exception):
    """The database cannot be used now."""


def failure(message: str, code: str) -> dict[str, Any]:
    """The answer to a request that asked nothing of the schema."""
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def answer_errors(errors: Sequence[GraphQLError]) -> dict[str, Any]:
    """Raises Busy when the database is the reason of any."""
    for error in errors:
        if isinstance(found := cause(error), OperationalError | InterfaceError):
            raise Busy from found
    return {"errors": [_shown(error) for error in errors]}


def cause(error: GraphQLError) -> Exception:
    """What was raised, below graphql-core's wrappings."""
    found: Exception = error
    while isinstance(found, GraphQLError) and not isinstance(found, ApiError) and found.original_error:
        found = found.original_error
    return found


def _shown(error: GraphQLError) -> dict[str, Any]:
    message, code = _message_and_code(error)
    shown: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error.path:
        shown["path"] = error.path
    return shown


def _message_and_code(error: GraphQLError) -> tuple[str, str]:
    found = cause(error)
    if isinstance(found, ApiError):
        return found.message, found.code
    if isinstance(found, PermissionDenied):
        return str(found), "FORBIDDEN"
    if is_unstorable(found):
        return "No text may hold a NUL or half of a surrogate pair.", "BAD_USER_INPUT"
    if isinstance(found, GraphQLError) and (error.path is None or found.nodes):
        # Found before anything ran, or in an argument: the caller's. graphql-core's own texts name no code of ours.
        return error.message, "BAD_USER_INPUT"
    return _masked(error, found), "INTERNAL"


def _masked(error: GraphQLError, found: Exception) -> str:
    error_id = uuid.uuid4().hex[:8]
    log.error(
        "graphql.failed",
        text="GraphQL error {error_id} at {path}",
        error_id=error_id,
        path=".".join(map(str, error.path or ())),
        exc_info=found,
    )
    return f"This did not work because of a mistake on our side; the log has the details under {error_id}."
