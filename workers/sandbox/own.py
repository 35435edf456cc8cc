"""What is believed of a sandboxed process, which may have written anything: an outcome of its own task, and no more.

On the worker's side, before the event is put into a batch with those of others.
"""

import json
import math
from dataclasses import replace

from workers.answers import unpack_answer
from workers.messages import Event, Outcome, Progress, decode_event

MOST_BYTES = 1_048_576
REASONS = ("ERROR", "TIMEOUT", "CRASHED", "RESULT_TOO_LARGE", "RESULT_NOT_SERIALISABLE", "UNKNOWN_KIND")


def outcome_of(answer: bytes, task: int, attempt: int, *, within_seconds: float = math.inf) -> Outcome | None:
    """None: it is not an outcome of this attempt. Else nothing is in it but what its fields can hold.

    To be encoded anew. `within_seconds`: it cannot have run for longer.
    """
    try:
        told = unpack_answer(answer)
    except ValueError:
        return None
    outcome = _decoded(told.event, task, attempt)
    if not isinstance(outcome, Outcome) or not told.is_last or not _is_sound(outcome):
        return None
    return replace(outcome, run_seconds=min(outcome.run_seconds, within_seconds))


def progress_of(event: bytes, task: int, attempt: int) -> Progress | None:
    """The same of a note."""
    progress = _decoded(event, task, attempt)
    return progress if isinstance(progress, Progress) else None


def _decoded(event: bytes, task: int, attempt: int) -> Event | None:
    if len(event) > MOST_BYTES:
        return None
    try:
        decoded = decode_event(json.loads(event.decode()))
    except (ValueError, RecursionError):
        return None
    return decoded if (decoded.task, decoded.attempt) == (task, attempt) else None


def _is_sound(outcome: Outcome) -> bool:
    if outcome.status == "FINISHED":
        return not outcome.reason and outcome.error is None and math.isfinite(outcome.run_seconds)
    return outcome.reason in REASONS and outcome.value is None and outcome.result is None
