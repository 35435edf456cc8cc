"""Errors that a caller may read as they are; the text of any other exception stays in the log."""

from __future__ import annotations

from graphql import GraphQLError


class ApiError(GraphQLError):
    """A refusal with the code that programs go by."""

    code = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": self.code})


class BadInput(ApiError):
    code = "BAD_USER_INPUT"


class CursorExpired(ApiError):
    code = "CURSOR_EXPIRED"


class TooComplex(ApiError):
    code = "QUERY_TOO_COMPLEX"
