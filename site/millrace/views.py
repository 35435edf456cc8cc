"""What the program shows of tasks, workers and queues: as rows of tables, and as JSON for other programs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from millrace.tables import Cell, Column, duration, since
from millrace.terminal import OF_STATUS

if TYPE_CHECKING:
    from millrace.client import Overview
    from millrace.rows import Queue, Worker
    from millrace.tables import Row
    from millrace.tasks import Task

OF_TASKS: Final = (
    Column(head="ID", right=True),
    Column(head="STATUS"),
    Column(head="NAME", shrinks=True),
    Column(head="KIND", shrinks=True, drop=3),
    Column(head="CREATED", right=True, drop=2),
    Column(head="RAN", right=True, drop=1),
    Column(head="OUTCOME", shrinks=True),
)
OF_WORKERS: Final = (
    Column(head="WORKER", shrinks=True),
    Column(head="HOST", shrinks=True, drop=3),
    Column(head="STATE"),
    Column(head="RUNS", right=True),
    Column(head="SEEN", right=True, drop=1),
    Column(head="QUEUES", shrinks=True, drop=2),
)
OF_QUEUES: Final = (
    Column(head="QUEUE", shrinks=True),
    Column(head="STATE", drop=1),
    Column(head="READY", right=True),
    Column(head="LATER", right=True, drop=4),
    Column(head="RUN", right=True),
    Column(head="OLDEST", right=True, drop=3),
    Column(head="IN/MIN", right=True, drop=6),
    Column(head="OUT/MIN", right=True, drop=5),
    Column(head="WORKERS", right=True, drop=2),
)


def task_row(task: Task) -> Row:
    return (
        Cell(str(task.number)),
        Cell(task.status, OF_STATUS.get(task.status, "")),
        Cell(task.name),
        Cell(task.kind),
        Cell(since(task.created_at)),
        Cell(since(task.started_at) if task.status == "RUNNING" else duration(task.run_seconds)),
        Cell(_outcome(task), "red" if task.status == "FAILED" else ""),
    )


def worker_row(worker: Worker) -> Row:
    state, colour = ("takes tasks", "green") if worker.alive else ("lost", "red")
    if worker.alive and (worker.order or worker.draining):
        state, colour = "drains" if worker.order != "STOP" else "stops", "yellow"
    return (
        Cell(worker.name),
        Cell(worker.host),
        Cell(state, colour),
        Cell(f"{len(worker.running)}/{worker.concurrency}"),
        Cell(since(worker.last_seen_at)),
        Cell(", ".join(worker.queues)),
    )


def queue_row(queue: Queue) -> Row:
    state, colour = ("paused", "yellow") if queue.paused else ("open", "green")
    if not queue.paused and not queue.workers:
        state, colour = "unserved", "red"
    return (
        Cell(queue.name),
        Cell(state, colour),
        *(Cell(f"{count:,}") for count in (queue.ready, queue.scheduled, queue.running)),
        Cell(duration(queue.oldest_seconds)),
        *(Cell(f"{count:,}") for count in (queue.created_last_minute, queue.ended_last_minute, queue.workers)),
    )


def of_task(task: Task, *, whole: bool = False) -> dict[str, Any]:
    """As JSON data. `whole`: with what is large."""
    error = task.error if whole else None
    shown: dict[str, Any] = {
        "number": task.number,
        "name": task.name,
        "kind": task.kind,
        "queue": task.queue,
        "status": task.status,
        "reason": task.reason,
        "priority": task.priority,
        "created_by": task.created_by,
        "created_at": task.created_at,
        "run_after": task.run_after,
        "started_at": task.started_at,
        "finished_at": task.finished_at,
        "run_seconds": task.run_seconds,
        "failure": task.failure or None,
    }
    if whole:
        shown |= {"status_text": task.status_text, "params": task.params, "cloned_from": task.cloned_from}
        shown["error"] = error and asdict(error)
        shown["result"] = task.result if task.status == "FINISHED" else None
        waiting = task.waiting if task.status == "QUEUEING" else None
        shown["waiting"] = waiting and asdict(waiting)
    return shown


def of_overview(told: Overview) -> dict[str, Any]:
    """As JSON data."""
    return {
        "at": datetime.now(UTC),
        "counts": asdict(told.counts),
        "queues": [asdict(each) for each in told.queues],
        "workers": [asdict(each) for each in told.workers],
        "running": [of_task(each) for each in told.running],
        "failed": [of_task(each) for each in told.failed],
    }


def written(data: Any, indent: int | None = None) -> str:
    """As JSON on one line. What JSON has no number for is text: "nan", "inf"."""
    return json.dumps(_finite(data), default=_time, ensure_ascii=False, indent=indent)


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(value)


def _finite(data: Any) -> Any:
    return repr(data) if isinstance(data, float) and not math.isfinite(data) else data


def _outcome(task: Task) -> str:
    if task.status == "FAILED":
        return task.failure.partition(": ")[2]
    if task.status == "RUNNING" and task.progress:
        percent = "" if task.progress.fraction is None else f"{task.progress.fraction:.0%}"
        return " ".join(filter(None, (percent, task.progress.message)))
    return (task.reason or "").lower().replace("_", " ") if task.status == "QUEUEING" else task.value_text
