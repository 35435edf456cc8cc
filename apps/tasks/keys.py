"""Idempotency keys: the same request sent twice makes one task, however often its answer is lost."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from apps.tasks.drafts import Problem, Refused, is_key
from apps.tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

    from apps.tasks.drafts import Draft


def digest(draft: Draft) -> str:
    """Of what was asked for, as it was asked for: a delay is the same delay a minute later."""
    asked = [
        draft.name,
        draft.kind,
        draft.params,
        draft.run_at and draft.run_at.isoformat(),
        draft.delay_seconds,
        draft.timeout_seconds,
        draft.max_attempts,
        # As of old without them: its keys go on.
        *([draft.priority] if draft.priority else []),
        *([f"queue {draft.queue}"] if draft.queue is not None else []),
    ]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def known(user: User, drafts: Sequence[Draft]) -> dict[str, Task]:
    """This person's tasks that were made under the drafts' keys."""
    wanted = {draft.idempotency_key for draft in drafts if draft.idempotency_key and is_key(draft.idempotency_key)}
    if not wanted:
        return {}
    found = Task.objects.filter(created_by_id=user.pk, idempotency_key__in=wanted)
    return {task.idempotency_key or "": task for task in found}


def check(task: Task, request_digest: str) -> None:
    """Raises Refused when the task under this key is not what is asked for now."""
    if task.pk is None:
        raise Refused([_conflict("The same key stands at another task of this call.")])
    if task.request_digest != request_digest:
        raise Refused(
            [_conflict(f"This key was used for something else, task {task.pk}. Take a new key for a new task.")]
        )


def _conflict(message: str) -> Problem:
    return Problem(field=("idempotency_key",), message=message, code="CONFLICT")
