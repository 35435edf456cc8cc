"""What stands in the audit log, by its name there, and how it is said of the object that follows."""

from __future__ import annotations

from typing import Final

ACTS: Final = {
    "sign-in": "Signed in",
    "sign-out": "Signed out",
    "session.end": "Signed out, elsewhere,",
    "link.make": "Made a sign-in link for",
    "token.make": "Made",
    "token.revoke": "Revoked",
    "person.add": "Added",
    "person.change": "Changed",
    "person.remove": "Removed",
    "person.rights": "Changed the rights of",
    "group.add": "Added",
    "group.change": "Changed",
    "group.remove": "Removed",
    "group.rights": "Changed the rights of",
    "group.people": "Changed the people of",
    "permission.people": "Changed who has the",
    "task.create": "Created",
    "task.cancel": "Cancelled",
    "task.retry": "Retried",
    "task.delete": "Deleted",
    "task.priority": "Gave another priority to",
    "share.make": "Made a link to",
    "share.revoke": "Ended a link to",
    "bulk.retry": "Began to retry",
    "bulk.cancel": "Began to cancel",
    "bulk.delete": "Began to delete",
    "bulk.priority": "Began to give another priority to",
    "bulk.stop": "Stopped",
    "failures.retry": "Retried the failures of",
    "failures.delete": "Deleted the failures of",
    "queue.pause": "Paused",
    "queue.resume": "Resumed",
    "queue.limit": "Set the limits of",
    "queue.purge": "Purged",
    "worker.drain": "Drained",
    "worker.stop": "Stopped",
    "worker.resume": "Resumed",
    "parked.forget": "Removed parked messages",
    # Of these only refusals are told.
    "events.record": "Recorded events",
    "attempt.claim": "Claimed an attempt",
}
# Their count is of tasks that belong to the object, not of objects.
OF_TASKS: Final = frozenset(act for act in ACTS if act.startswith(("bulk.", "failures."))) - {"bulk.stop"} | {
    "queue.purge"
}
PLACES: Final = {"task": "/tasks/{}/", "cause": "/failures/{}/"}


def label(act: str) -> str:
    """In a list to choose from."""
    word, _, rest = act.partition(".")
    return f"{word}: {rest}" if rest else word
