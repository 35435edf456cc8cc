"""What a person may do, in words, as their own page and the page of people say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings

from apps.accounts.permissions import Scope, may_operate, may_revoke_all, may_run_code, may_see_all, may_write

if TYPE_CHECKING:
    from django.contrib.auth.models import User


OFF: Final = " (switched off on this server)"


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing, and whether this person may do it."""

    text: str
    is_given: bool


def of(user: User) -> list[Ability]:
    return [
        Ability("See the tasks of everybody", may_see_all(user)),
        Ability("Create tasks, and act on those in sight", may_write(user)),
        Ability(f"Run code from the editor{OFF * (not settings.CODE)}", may_write(user) and may_run_code(user)),
        Ability("Pause, limit and purge queues, drain and stop workers", may_operate(user)),
        Ability("See and revoke everybody's API tokens", may_revoke_all(user)),
    ]


# The first words, up to the colon, stand by themselves in tables.
SCOPES: Final = {
    Scope.TASKS_READ: "See tasks: those that you see yourself",
    Scope.TASKS_WRITE: "Change tasks: create, retry, cancel, delete, prioritise",
    Scope.OPS: "Operate: pause, limit and purge queues, drain and stop workers",
    Scope.SINK: "Bring outcomes: as the sink does",
    Scope.WORKER: "Ask about tasks: as workers do",
}
