"""What templates ask of the person who looks."""

from django import template
from django.contrib.auth.models import AbstractUser, AnonymousUser

from apps.accounts import permissions

register = template.Library()


@register.filter
def sees_all(user: AbstractUser | AnonymousUser) -> bool:
    return permissions.may_see_all(user)


@register.filter
def writes(user: AbstractUser | AnonymousUser) -> bool:
    return permissions.may_write(user)
