"""Tasks made from others: with the same name, kind and limits, and another input."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apps.tasks import codes, services
from apps.tasks.drafts import Draft, Problem, Refused
from apps.tasks.models import Kind, Task

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apps.accounts.permissions import Person

TWICE = "Give code, or params with code: not both."
NO_CODE = "Its kind takes no code: give params."


def original(user: Person, number: int | None) -> Task | None:
    """The task of this number, if this person sees it."""
    return Task.objects.visible_to(user).filter(pk=number).first() if number else None


def clone(*, user: User, number: int, params: Any = None, code: str | None = None) -> Task:
    """A new task like that of this number. `params`: in place of its own; `code`: in place of its code alone.

    Raises Refused, with paths that begin at `id`, `params` or `code`.
    """
    task = original(user, number)
    if task is None:
        raise Refused([Problem(field=("id",), message=f"There is no task {number}.", code="NOT_FOUND")])
    kind = Kind.objects.filter(name=task.kind).first()
    try:
        return services.create(user=user, draft=_like(task, kind, _params(task, kind, params, code)))
    except Refused as refused:
        raise Refused([_placed(problem) for problem in refused.problems]) from None


def _params(task: Task, kind: Kind | None, params: Any, code: str | None) -> Any:
    if code is None:
        return params
    name = next(iter(codes.names_of(kind)), None)
    if name is None:
        raise Refused([Problem(field=("code",), message=NO_CODE, code="CONFLICT")])
    given = task.params if params is None else params
    if not isinstance(given, dict):
        return given
    if params is not None and name in params:
        raise Refused([Problem(field=("code",), message=TWICE, code="CONFLICT")])
    return {**given, name: code}


def _like(task: Task, kind: Kind | None, params: Any) -> Draft:
    """What its kind gives by itself stays the kind's, also where that is other by now."""
    return Draft(
        name=task.name,
        kind=task.kind,
        params=params,
        queue=None if kind and task.queue == kind.queue else task.queue,
        priority=task.priority,
        timeout_seconds=None if kind and task.timeout_seconds == kind.timeout_seconds else task.timeout_seconds,
        max_attempts=None if kind and task.max_attempts == kind.max_attempts else task.max_attempts,
        cloned_from=task.pk,
    )


def _placed(problem: Problem) -> Problem:
    """What is wrong with the old task itself, such as a kind that is gone, stands at its id."""
    return problem if not problem.field or problem.field[0] in ("params", "code") else replace(problem, field=("id",))
