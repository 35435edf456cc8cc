"""The roles that a person can have: groups of Django's, which give what permissions.py asks for."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from apps.accounts.permissions import OPERATE, RUN_CODE, SEE_ALL, WRITE
from apps.tasks.clock import tick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class Role(StrEnum):
    """The names of the groups; an administrator is Django's superuser, and in none of them."""

    VIEWER = "Viewer"
    MEMBER = "Member"
    OPERATOR = "Operator"
    ADMINISTRATOR = "Administrator"


GIVES: Final = {
    Role.VIEWER: (SEE_ALL,),
    Role.MEMBER: (WRITE,),
    Role.OPERATOR: (SEE_ALL, WRITE, OPERATE),
}


EXTRAS: Final = (RUN_CODE, OPERATE)


def ensure(**_: Any) -> None:
    """Make the groups that are missing, after a migration. What an administrator has made of one stays."""
    if Group.objects.filter(name__in=GIVES).count() == len(GIVES):
        return
    found = permissions({permission for given in GIVES.values() for permission in given})
    if len(found) < len({permission for given in GIVES.values() for permission in given}):
        return  # some app is not migrated as far yet
    with transaction.atomic():
        for role, given in GIVES.items():
            group, is_new = Group.objects.get_or_create(name=role)
            if is_new:
                group.permissions.set(found[permission] for permission in given)
            if is_new and role == Role.MEMBER:
                group.user_set.add(*User.objects.filter(is_superuser=False))


def permissions(names: Iterable[str]) -> dict[str, Permission]:
    """Those of these names, such as "tasks.can_run_code"."""
    wanted = {tuple(name.split(".")): name for name in names}
    found = Permission.objects.filter(codename__in=[codename for _, codename in wanted]).select_related("content_type")
    named = {(each.content_type.app_label, each.codename): each for each in found}
    return {name: named[key] for key, name in wanted.items() if key in named}


def begin(instance: User, *, created: bool = False, raw: bool = False, **_: Any) -> None:
    """Whoever comes to be is a member, until somebody says otherwise."""
    if created and not raw and not instance.is_superuser:
        instance.groups.add(*Group.objects.filter(name=Role.MEMBER))


def of(user: User) -> str:
    """The role in a word; those that only /admin/ gives have words of their own."""
    if user.is_superuser:
        return Role.ADMINISTRATOR
    if user.is_staff:
        return "Staff"
    # Of several the one that gives most: what they give adds up.
    names = {group.name for group in user.groups.all()}
    return next((role for role in reversed(GIVES) if role in names), "None")


def extras_of(user: User) -> set[str]:
    """What was given beside the role."""
    return {each.codename for each in user.user_permissions.all()} & {name.split(".")[1] for name in EXTRAS}


def give(user: User, role: Role, extras: Collection[str]) -> None:
    """`extras`: those of EXTRAS that the person has beside the role; the others of these are taken away."""
    with transaction.atomic():
        user.is_superuser = user.is_staff = role == Role.ADMINISTRATOR
        user.save(update_fields=["is_superuser", "is_staff"])
        known = permissions(EXTRAS)
        user.groups.set([*user.groups.exclude(name__in=GIVES), *Group.objects.filter(name=role)])
        others = [each for each in user.user_permissions.all() if each not in known.values()]
        user.user_permissions.set([*others, *(known[name] for name in EXTRAS if name in extras)])
        tick()


def changed(**_: Any) -> None:
    """Open pages are asked for anew by the tick: other tasks may be seen now."""
    tick()
