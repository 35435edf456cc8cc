"""What is believed of a sandboxed process, which may have written anything: an outcome of its own task, and no more.

On the worker's side, before the event is put into a batch with those of others.
"""

import json
import math

from workers.answers import unpack_answer
from workers.messages import Outcome, decode_event, encode_event

MOST_BYTES = 1_048_576
REASONS = ("ERROR", "TIMEOUT", "CRASHED", "RESULT_TOO_LARGE", "RESULT_NOT_SERIALISABLE", "UNKNOWN_KIND")


def outcome_of(answer: bytes, task: int, attempt: int) -> Outcome | None:
    """None: it is not an outcome of this attempt. Else nothing is in it but what its fields can hold."""
    if len(answer) > MOST_BYTES:
        return None
    try:
        _, is_last, event = unpack_answer(answer)
        outcome = decode_event(json.loads(event.decode()))
    except (ValueError, RecursionError):
        return None
    if not isinstance(outcome, Outcome) or (outcome.task, outcome.attempt) != (task, attempt):
        return None
    return outcome if is_last and _is_sound(outcome) else None


def event_of(answer: bytes, task: int, attempt: int) -> bytes | None:
    """The same, encoded anew: the bytes are this process's own."""
    outcome = outcome_of(answer, task, attempt)
    return encode_event(outcome) if outcome else None


def _is_sound(outcome: Outcome) -> bool:
    if outcome.status == "FINISHED":
        return not outcome.reason and outcome.error is None and math.isfinite(outcome.run_seconds)
    return outcome.reason in REASONS and outcome.value is None and outcome.result is None
