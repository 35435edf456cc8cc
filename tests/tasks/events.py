"""What workers report of a task, as tests put it together."""

from typing import Any

from apps.tasks.models import Task


def batch(*events: dict[str, Any], worker: str = "w1", **more: Any) -> dict[str, Any]:
    return {"v": 1, "worker": worker, "events": list(events), **more}


def started(task: Task, attempt: int = 1) -> dict[str, Any]:
    return {"type": "STARTED", "task": task.pk, "attempt": attempt}


def finished(task: Task, attempt: int = 1, **more: Any) -> dict[str, Any]:
    place = {"type": "OUTCOME", "task": task.pk, "attempt": attempt}
    return {**place, "status": "FINISHED", "run_seconds": 0.5, "value": "0.25", **more}


def failed(task: Task, attempt: int = 1, reason: str = "ERROR", error_type: str = "ValueError") -> dict[str, Any]:
    error = {"type": error_type, "message": "no", "traceback": "Traceback ..."}
    return {**finished(task, attempt), "status": "FAILED", "reason": reason, "value": None, "error": error}


def returned(task: Task, attempt: int = 1) -> dict[str, Any]:
    return {"type": "RETURNED", "task": task.pk, "attempt": attempt}


def vanished(task: Task, holder: str, attempt: int = 1) -> dict[str, Any]:
    return {"type": "VANISHED", "task": task.pk, "attempt": attempt, "holder": holder}


def undeliverable(task: Task, attempt: int = 1) -> dict[str, Any]:
    return {"type": "UNDELIVERABLE", "task": task.pk, "attempt": attempt}


def printed(task: Task, position: int, *parts: tuple[str, str] | str, attempt: int = 1, **more: Any) -> dict[str, Any]:
    """A piece of its output. A part that is only a text is of stdout."""
    pairs = [("stdout", part) if isinstance(part, str) else part for part in parts]
    size = sum(len(text.encode()) for _, text in pairs)
    place = {"type": "OUTPUT", "task": task.pk, "attempt": attempt, "position": position, "size": size}
    return {**place, "parts": [list(pair) for pair in pairs], **more}


def progress(task: Task, fraction: float | None, text: str = "", attempt: int = 1) -> dict[str, Any]:
    return {"type": "PROGRESS", "task": task.pk, "attempt": attempt, "fraction": fraction, "text": text}
