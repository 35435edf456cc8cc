"""How far a running task has come, and how long it still takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.tasks.lifecycle import Status

if TYPE_CHECKING:
    from datetime import datetime

    from apps.tasks.models import Task

TELLS_FROM = 0.05  # of the whole, and seconds: what came before says too little about the rest
TELLS_AFTER_SECONDS = 5


def is_shown(task: Task) -> bool:
    return task.status == Status.RUNNING and (task.progress is not None or bool(task.progress_text))


def percent(fraction: float | None) -> int | None:
    """Whole and rounded down: 100 only when nothing is left."""
    return None if fraction is None else int(fraction * 100 + 1e-9)


def seconds_left(task: Task, now: datetime) -> float | None:
    """At the pace that it had when it spoke last; None as long as it cannot be told, and when that time is over."""
    if not (task.progress and task.started_at and task.progress_at and TELLS_FROM <= task.progress < 1):
        return None
    elapsed = (task.progress_at - task.started_at).total_seconds()
    left = elapsed / task.progress * (1 - task.progress) - (now - task.progress_at).total_seconds()
    return left if elapsed >= TELLS_AFTER_SECONDS and left > 0 else None


def left_text(task: Task, now: datetime) -> str:
    """ "about 3 min left"; empty as long as it cannot be told."""
    left = seconds_left(task, now)
    return "" if left is None else f"about {_rounded(left)} left"


def _rounded(seconds: float) -> str:
    """As coarse as an estimate is."""
    if seconds < 10:
        return "10 s"
    if seconds < 55:
        return f"{round(seconds / 5) * 5} s"
    if seconds < 3_570:
        return f"{max(round(seconds / 60), 1)} min"
    minutes = round(seconds / 600) * 10
    hours, rest = divmod(minutes, 60)
    if hours < 10:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(seconds / 3_600)} h" if seconds < 172_800 else f"{round(seconds / 86_400)} d"
