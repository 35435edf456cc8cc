"""Mutations that a token or a person may not ask for, told in the audit log under the act that they would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied
from graphql import FieldNode, value_from_ast_untyped
from graphql_relay import from_global_id

from apps.audit.refusals import refuse
from config.graphql_errors import cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphql import GraphQLError

# By mutation; what of its input names the object stands behind the word for it.
ACTS: Final[dict[str, tuple[str, str]]] = {
    "createTask": ("task.create", ""),
    "createTasks": ("task.create", ""),
    "retryTask": ("task.retry", "task id"),
    "cancelTask": ("task.cancel", "task id"),
    "deleteTask": ("task.delete", "task id"),
    "bulkTasks": ("bulk.{action}", ""),
    "stopBulkOperation": ("bulk.stop", "bulk id"),
    "retryFailureGroup": ("failures.retry", "cause fingerprint"),
    "deleteFailureGroup": ("failures.delete", "cause fingerprint"),
    "pauseQueue": ("queue.pause", "queue name"),
    "resumeQueue": ("queue.resume", "queue name"),
    "updateQueue": ("queue.limit", "queue name"),
    "purgeQueue": ("queue.purge", "queue name"),
    "drainWorker": ("worker.drain", "worker id"),
    "stopWorker": ("worker.stop", "worker id"),
    "resumeWorker": ("worker.resume", "worker id"),
    "recordEvents": ("events.record", ""),
    "claimTask": ("attempt.claim", ""),
}
BULK: Final = {"RETRY": "retry", "CANCEL": "cancel", "DELETE": "delete", "SET_PRIORITY": "priority"}


def note_refusals(errors: Sequence[GraphQLError], variables: dict[str, Any]) -> None:
    for error in errors:
        node, found = error.nodes[0] if error.nodes else None, cause(error)
        if isinstance(found, PermissionDenied) and isinstance(node, FieldNode) and node.name.value in ACTS:
            _note(node, variables, str(found))


def _note(node: FieldNode, variables: dict[str, Any], reason: str) -> None:
    act, named = ACTS[node.name.value]
    given = _input(node, variables)
    word, _, key = named.partition(" ")
    what = f"{word} {_named(given[key])}" if isinstance(given.get(key), str | int) else ""
    refuse(act.format(action=BULK.get(str(given.get("action")), "retry")), what, details=reason)


def _named(key: str | int) -> str:
    """As the services name it, also when it came as a global id."""
    return from_global_id(str(key))[1] or str(key)


def _input(node: FieldNode, variables: dict[str, Any]) -> dict[str, Any]:
    values = [value_from_ast_untyped(argument.value, variables) for argument in node.arguments]
    return values[0] if values and isinstance(values[0], dict) else {}
