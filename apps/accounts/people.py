"""What an administrator does with people: add, give a role, switch off and on, invite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.contrib.auth.models import User
from django.db import transaction

from apps.accounts import links, remembered, roles
from apps.audit.journal import covered, note
from apps.tasks.drafts import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from apps.accounts.roles import Role

NOT_ONESELF = "Nobody does this to themselves, so that one administrator is always left: ask another one."

log = structlog.get_logger()


def add(*, by: User, name: str, role: Role, extras: Collection[str]) -> User:
    """Somebody without a password, who comes in by an invitation."""
    with transaction.atomic():
        with covered():
            user = User.objects.create_user(name)
            roles.give(user, role, extras)
        note("person.add", f"person {name}", user=by, details=_given(role, extras))
    _log(by, "added", user)
    return user


def change_role(*, by: User, user: User, role: Role, extras: Collection[str]) -> None:
    """What they may do from now on, in every open page and by every token. Raises Refused, as the next does."""
    _check_other(by, user)
    with transaction.atomic():
        with covered():
            roles.give(user, role, extras)
        note("person.rights", f"person {user.username}", user=by, details=_given(role, extras))
    _log(by, f"made a {role.lower()} of", user)


def switch(*, by: User, user: User, on: bool) -> None:
    """Off: every session and token is over; what belongs to them stays."""
    _check_other(by, user)
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=on)
        remembered.forget()
        note("person.change", f"person {user.username}", details=f"is_active: {on}")
    _log(by, "switched on" if on else "switched off", user)


def invite(*, by: User, user: User) -> str:
    """The text of a link by which they set a password and come in. Raises Refused for somebody switched off."""
    if not user.is_active:
        raise Refused([Problem(field=(), message=f"{user.username} is switched off: switch them on first.")])
    _log(by, "invited", user)
    return links.invite(user)


def _given(role: Role, extras: Collection[str]) -> str:
    return ", ".join([role, *sorted(name.split(".")[1] for name in extras)])


def _check_other(by: User, user: User) -> None:
    if by.pk == user.pk:
        raise Refused([Problem(field=(), message=NOT_ONESELF, code="FORBIDDEN")])


def _log(by: User, done: str, user: User) -> None:
    log.info("people.changed", text="{by} has {done} {user}", by=by.username, done=done, user=user.username)
