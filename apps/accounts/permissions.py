"""Who may do what: asked by pages and GraphQL alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from apps.tasks.lifecycle import DELETABLE, FINAL, LIVE, Status

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

    from apps.accounts.models import Token
    from apps.tasks.models import Kind, Task

    Person = AbstractUser | AnonymousUser


class Scope(StrEnum):
    """What a token is good for."""

    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    OPS = "ops"
    WORKER = "worker"
    SINK = "sink"


PERSONAL = (Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.OPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what they were let in for."""

    user: Person
    scopes: frozenset[Scope]
    by_token: bool

    @classmethod
    def of_session(cls, user: Person) -> Caller:
        return cls(user=user, scopes=frozenset(scopes_of(user)), by_token=False)

    @classmethod
    def of_token(cls, token: Token) -> Caller:
        """A token never lets in for more than its user may; who may write may read what they wrote."""
        user = token.user or AnonymousUser()
        scopes = {Scope(scope) for scope in token.scopes}
        if Scope.TASKS_WRITE in scopes:
            scopes.add(Scope.TASKS_READ)
        return cls(user=user, scopes=frozenset(scopes - (set(PERSONAL) - set(scopes_of(user)))), by_token=True)

    def require(self, scope: Scope) -> None:
        """Raises PermissionDenied."""
        if scope not in self.scopes:
            raise PermissionDenied(f"This needs the scope {scope}.")

    @property
    def counted_as(self) -> int | None:
        """The person whose changes are counted. None: of the sink, of the workers, of staff in a browser."""
        return self.user.pk if self.by_token or not _is_staff(self.user) else None

    @property
    def may_introspect(self) -> bool:
        return may_explore(self.user) and not self.by_token


# In which statuses.
ALLOWED = {"retry": FINAL, "cancel": LIVE, "delete": DELETABLE, "set_priority": frozenset({Status.QUEUEING})}


SEE_ALL = "tasks.can_see_all"
WRITE = "tasks.can_write"
RUN_CODE = "tasks.can_run_code"
OPERATE = "queues.can_operate"
REVOKE = "accounts.can_revoke_tokens"


def scopes_of(user: Person) -> list[Scope]:
    """What this person, and so each token of theirs, can be let in for."""
    operates = _is_staff(user) or may_operate(user)
    given = {Scope.TASKS_READ: True, Scope.TASKS_WRITE: may_write(user), Scope.OPS: operates}
    return [scope for scope in PERSONAL if given[scope]]


def may(user: Person, act: str, task: Task, kind: Kind | None) -> bool:
    """Whether this person may do this with this task, which is of that kind, as it is now."""
    if act == "retry" and kind and not may_create(user, kind):
        return False
    is_owner = user.pk is not None and task.created_by_id == user.pk
    return task.status in ALLOWED[act] and may_write(user) and (is_owner or may_see_all(user))


def may_see_all(user: Person) -> bool:
    """Whether this person sees everybody's tasks, not their own alone."""
    return _is_staff(user) or user.has_perm(SEE_ALL)


def may_write(user: Person) -> bool:
    """Whether this person may create tasks, and act on those that they see."""
    return _is_staff(user) or user.has_perm(WRITE)


def may_create(user: Person, kind: Kind) -> bool:
    """Whether this person, if they may have any task run, may have those of this kind."""
    return not kind.runs_code or may_run_code(user)


def may_run_code(user: Person) -> bool:
    """Whether this person, if they may have any task run, may have code run that they write."""
    return settings.CODE and user.has_perm(RUN_CODE)


def may_operate(user: Person) -> bool:
    """Whether this person may hold up other people's work: pause, limit and purge queues, drain and stop workers."""
    return may_write(user) and user.has_perm(OPERATE)


def may_explore(user: Person) -> bool:
    """Whether this person may ask what the schema is, and so have GraphiQL: staff; with DEBUG everybody."""
    return _is_staff(user) or (settings.DEBUG and user.is_authenticated)


def may_revoke_all(user: Person) -> bool:
    """Whether this person may see everybody's tokens, and end them."""
    return _is_staff(user) and user.has_perm(REVOKE)


def _is_staff(user: Person) -> bool:
    return bool(getattr(user, "is_staff", False))
