"""What no answer may be: a fault of the server's, a page, or one that tells how the server is made."""

from __future__ import annotations

import json
import re
from typing import Any

from config.schema import schema

CODES = {
    "BAD_USER_INPUT", "QUERY_TOO_COMPLEX", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "CURSOR_EXPIRED",
    "RATE_LIMITED",
}  # fmt: skip
STATUSES = {200, 400, 401, 403, 405, 413, 415, 429}
LEAKS = re.compile(
    r"Traceback|File \"|has no attribute|<class|<function|object at 0x|\b(None|True|False|NoneType|nan|inf)\b"
    r"|\b\w+(Error|Exception|Warning|Enum|Type|Field|QuerySet|Manager)\b|\b(dict|tuple|str|int|codec)\b"
    r"|graphene|graphql\W|django|sqlite|psycopg|SELECT |INSERT |UPDATE |apps\.|config\."
)
SUGGESTION = "Did you mean"
OURS = re.compile("|".join(sorted(map(re.escape, schema.graphql_schema.type_map), key=len, reverse=True)))


def trouble(response: Any, *, stranger: bool) -> str:
    """What is wrong with it; empty when nothing is."""
    if wrong := _outside(response, stranger=stranger):
        return wrong
    answer = json.loads(response.content)
    if not isinstance(answer, dict) or not set(answer) <= {"data", "errors"} or not answer:
        return "not of GraphQL's shape"
    errors = answer.get("errors", [])
    if ("errors" in answer) == (not errors) or (response.status_code == 200 and "data" not in answer):
        return "neither data nor errors"
    return next(filter(None, (_wrong(error, stranger=stranger) for error in [*errors, *_user_errors(answer)])), "")


def _outside(response: Any, *, stranger: bool) -> str:
    if response.status_code not in STATUSES:
        return f"status {response.status_code}"
    if response.headers["Content-Type"] != "application/json":
        return f"no JSON but {response.headers['Content-Type']}"
    return "a stranger was listened to" if stranger and response.status_code not in (401, 405, 415) else ""


def _wrong(error: Any, *, stranger: bool) -> str:
    message, code = error.get("message"), error.get("code") or error.get("extensions", {}).get("code")
    if not isinstance(message, str) or not message:
        return "an error without a message"
    if "extensions" in error and code not in CODES:
        return f"an error with the code {code}: {message}"
    if code is None:
        return f"an error without a code: {message}"
    if stranger and SUGGESTION in message:
        return "a suggestion to a stranger"
    # Names of the schema are no secret, and what the caller has sent is theirs.
    if leak := LEAKS.search(OURS.sub("", _QUOTED.sub("", message))):
        return f"{leak[0]!r} in: {message}"
    return ""


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|\(it is .*?\)\.|\(got .*?\)\.")


def _user_errors(answer: dict[str, Any]) -> list[Any]:
    payloads = [each for each in (answer.get("data") or {}).values() if isinstance(each, dict)]
    found = [error for each in payloads for error in each.get("userErrors") or []]
    return [error for error in found if {"message", "code"} <= set(error)]
