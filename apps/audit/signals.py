"""What is done through Django itself: sign-ins, people, groups and their permissions, tokens and links made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver

from apps.accounts.models import SignInLink, Token
from apps.audit.journal import note
from apps.audit.models import Result

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import Model

# What of a person is told when it changes.
ATTRIBUTES = ("is_active", "is_staff", "is_superuser", "password", "email", "username", "first_name", "last_name")
NEVER_SHOWN = frozenset({"password"})
CHANGES = {"post_add": "added", "post_remove": "removed", "post_clear": "cleared"}


@receiver(user_logged_in)
def _signed_in(user: User, **_more: Any) -> None:
    note("sign-in", f"person {user.username}", user=user)


@receiver(user_logged_out)
def _signed_out(user: User | None, **_more: Any) -> None:
    if user is not None:
        note("sign-out", f"person {user.username}", user=user)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], **_more: Any) -> None:
    """A name that nobody has is not kept: now and then somebody types a password there."""
    name = str(credentials.get("username", ""))
    is_known = "\0" not in name and User.objects.filter(username=name).exists()
    note("sign-in", f"person {name}" if is_known else "nobody of that name", result=Result.FAILED)


@receiver(pre_save, sender=User)
def _look_before(instance: User, update_fields: Collection[str] | None, raw: bool = False, **_more: Any) -> None:
    if instance.pk and not raw and (update_fields is None or not set(update_fields) <= {"last_login"}):
        before = User.objects.filter(pk=instance.pk).values(*ATTRIBUTES).first()
        vars(instance)["_before"] = before


@receiver(post_save, sender=User)
def _person_saved(instance: User, created: bool, **_more: Any) -> None:
    before = vars(instance).pop("_before", None)
    if created:
        roles = [name.removeprefix("is_") for name in ("is_staff", "is_superuser") if getattr(instance, name)]
        note("person.add", f"person {instance.username}", details=", ".join(roles))
    elif before and (changed := [name for name in ATTRIBUTES if before[name] != getattr(instance, name)]):
        said = [name if name in NEVER_SHOWN else f"{name}: {getattr(instance, name)}" for name in changed]
        note("person.change", f"person {before['username']}", details=", ".join(said))


@receiver(post_delete, sender=User)
def _person_removed(instance: User, **_more: Any) -> None:
    note("person.remove", f"person {instance.username}")


@receiver(post_save, sender=Group)
def _group_saved(instance: Group, created: bool, **_more: Any) -> None:
    note("group.add" if created else "group.change", f"group {instance.name}")


@receiver(post_delete, sender=Group)
def _group_removed(instance: Group, **_more: Any) -> None:
    note("group.remove", f"group {instance.name}")


@receiver(m2m_changed, sender=User.user_permissions.through)
@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=Group.permissions.through)
def _rights_changed(instance: Model, action: str, model: type[Model], pk_set: set[int] | None, **_more: Any) -> None:
    if action not in CHANGES or pk_set == set():
        return
    rows: list[Any] = list(model._default_manager.filter(pk__in=pk_set or ()).order_by("pk"))  # noqa: SLF001
    names = [row.codename if isinstance(row, Permission) else str(row) for row in rows]
    word = "person" if isinstance(instance, User) else instance._meta.verbose_name  # noqa: SLF001
    act = f"{word}.{'people' if model is User else 'rights'}"
    note(act, f"{word} {instance}", details=f"{CHANGES[action]} {', '.join(names) or 'all'}")


@receiver(post_save, sender=Token)
def _token_made(instance: Token, created: bool, **_more: Any) -> None:
    if created:
        owner = f"of {instance.user.username}, " if instance.user else ""
        note("token.make", f"token {instance.prefix}", details=f"{owner}{' '.join(instance.scopes)}")


@receiver(post_save, sender=SignInLink)
def _link_made(instance: SignInLink, created: bool, **_more: Any) -> None:
    if created:
        note("link.make", f"person {instance.user.username}")
