"""The lifecycle of a task: the one page that states which status may follow which.

    create -> QUEUEING -> RUNNING -> FINISHED
                 ^           |-> FAILED        (error, time-out, crashed, refused)
                 |           |-> QUEUEING      (reason RETRY_WAIT: its next attempt, after a pause)
                 |           '-> QUEUEING      (the same attempt: its worker left, or is gone)
                 '-- a person's retry: its next attempt, from FINISHED / FAILED / CANCELLED
    QUEUEING or RUNNING -> CANCELLED           (row first, then the process tree is killed)

FINISHED, FAILED and CANCELLED are final. The attempt number is the fencing token: part of every event and every WHERE.
"""

from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices


class Status(TextChoices):
    QUEUEING = "QUEUEING", "Queueing"
    RUNNING = "RUNNING", "Running"
    FINISHED = "FINISHED", "Finished"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


class Reason(TextChoices):
    """Why a task is in its status."""

    SCHEDULED = "SCHEDULED", "scheduled for later"
    RETRY_WAIT = "RETRY_WAIT", "waits for its next try"
    ERROR = "ERROR", "the handler raised an error"
    TIMEOUT = "TIMEOUT", "it ran longer than it may"
    CRASHED = "CRASHED", "its process died"
    RESULT_TOO_LARGE = "RESULT_TOO_LARGE", "what it returned is too large"
    RESULT_NOT_SERIALISABLE = "RESULT_NOT_SERIALISABLE", "what it returned cannot be stored as JSON"
    UNKNOWN_KIND = "UNKNOWN_KIND", "the worker does not know this kind"


FINAL: Final = frozenset({Status.FINISHED, Status.FAILED, Status.CANCELLED})
LIVE: Final = frozenset({Status.QUEUEING, Status.RUNNING})
DELETABLE: Final = frozenset(Status) - {Status.RUNNING}  # it has to be cancelled first


@dataclass(frozen=True, slots=True)
class Step:
    """An allowed change of status. `next_attempt`: the attempt number goes up with it."""

    before: frozenset[Status]
    after: Status
    next_attempt: bool = False


# A second STARTED of the same attempt is a redelivery to another worker after the first one died.
START: Final = Step(before=LIVE, after=Status.RUNNING)
# An outcome may come without a STARTED: a short task's outcome carries both.
FINISH: Final = Step(before=LIVE, after=Status.FINISHED)
FAIL: Final = Step(before=LIVE, after=Status.FAILED)
TRY_AGAIN: Final = Step(before=LIVE, after=Status.QUEUEING, next_attempt=True)
GIVE_BACK: Final = Step(before=LIVE, after=Status.QUEUEING)
CANCEL: Final = Step(before=LIVE, after=Status.CANCELLED)
RETRY: Final = Step(before=FINAL, after=Status.QUEUEING, next_attempt=True)

OUTCOME_STEPS: Final = {Status.FINISHED: FINISH, Status.FAILED: FAIL}
