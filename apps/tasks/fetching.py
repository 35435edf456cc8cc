"""Brings what a query asks for with all its tasks at once, so that a list costs as many statements as one task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, Prefetch, prefetch_related_objects

from apps.queues.models import Environment, Worker
from apps.tasks.lifecycle import Status
from apps.tasks.models import Artifact, Attempt, Task

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from apps.accounts.permissions import Person
    from apps.tasks.querysets import TaskQuerySet

OF_LAST_ATTEMPT = frozenset({"error", "statusText", "runSeconds", "artifacts"})
OF_ATTEMPTS = {
    field: frozenset(f"{place}.{field}" for place in ("attempt", "attempts.nodes", "attempts.edges.node"))
    for field in ("environment", "worker")
}
LARGE = frozenset({"params", "result"})


def without_unasked(tasks: TaskQuerySet, asked: Collection[str]) -> TaskQuerySet:
    """The tasks without the large columns that nobody asked for."""
    of_code = any(path == "code" or path.endswith("error.line") for path in asked)
    return tasks.defer(*LARGE.difference(asked, ["params"] if of_code else []))


def fetch(tasks: Sequence[Task], asked: Collection[str]) -> None:
    """Bring what belongs to these tasks. `asked`: paths below a task, as `api.selection.requested` gives them."""
    attempts = Attempt.objects.all()
    if not any(path.endswith(("traceback", "error.line")) for path in asked):
        attempts = attempts.defer("traceback")
    wanted: list[str | Prefetch[str]] = []
    if not {"createdBy", "events"}.isdisjoint(asked):
        wanted.append("created_by")
    if "artifacts" in asked:
        wanted.append(Prefetch("artifacts", queryset=Artifact.objects.select_related("file")))
    if not {"attempts", "attempt", "events"}.isdisjoint(asked):
        wanted.append(Prefetch("attempts", queryset=attempts))
    if OF_LAST_ATTEMPT.intersection(asked):
        last = attempts.filter(
            number__gte=F("task__attempt") - 1
        )  # a task that waits for a try speaks of the one before
        wanted.append(Prefetch("attempts", queryset=last, to_attr="last_attempts"))
    prefetch_related_objects(tasks, *wanted)
    bring_left_nothing(tasks if "statusText" in asked else [])
    if "clonedFrom" in asked:
        for task in tasks:
            vars(task)["fetched_with"] = tasks
    if not OF_ATTEMPTS["environment"].isdisjoint(asked):
        bring_environments([attempt for task in tasks for attempt in task.attempts.all()])
    if not OF_ATTEMPTS["worker"].isdisjoint(asked):
        bring_workers([attempt for task in tasks for attempt in task.attempts.all()])


def bring_left_nothing(tasks: Sequence[Task]) -> None:
    """Of each that finished without a number, whether there is nothing else to be seen either, as `left_nothing`.

    Asks without reading the results, which may be large.
    """
    silent = [task for task in tasks if task.status == Status.FINISHED and not task.value_text]
    if not silent:
        return
    shown = Artifact.objects.filter(task=OuterRef("pk"), attempt=OuterRef("attempt"), shown=True)
    bare = Task.objects.filter(pk__in=[task.pk for task in silent], result=None).exclude(Exists(shown))
    found = set(bare.values_list("pk", flat=True))
    for task in silent:
        vars(task)["left_nothing"] = task.pk in found


def original(task: Task, user: Person, asked: Collection[str]) -> Task | None:
    """The task whose input this one was made from, looked up for all that were fetched with it. None: not to be seen.

    `asked`: paths below the original.
    """
    if "original" not in vars(task):
        tasks = vars(task).get("fetched_with", [task])
        visible = without_unasked(Task.objects.visible_to(user), asked)
        found = visible.in_bulk({each.cloned_from for each in tasks if each.cloned_from})
        fetch(list(found.values()), asked)
        for each in tasks:
            vars(each)["original"] = found.get(each.cloned_from)
    known: Task | None = vars(task)["original"]
    return known


def bring_environments(attempts: Sequence[Attempt]) -> None:
    """Of each, what its worker had installed, as its `kept`."""
    found = Environment.objects.in_bulk({attempt.environment for attempt in attempts})
    for attempt in attempts:
        vars(attempt)["kept"] = found.get(attempt.environment)


def bring_workers(attempts: Sequence[Attempt]) -> None:
    """Of each, the worker that ran it, as far as it is remembered, as its `by`."""
    found = Worker.objects.select_related("environment").in_bulk({attempt.worker for attempt in attempts})
    for attempt in attempts:
        vars(attempt)["by"] = found.get(attempt.worker)
