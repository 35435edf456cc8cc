"""For staff, on every page: the checks of settings that somebody has silenced."""

from typing import Any

from django import template
from django.conf import settings

register = template.Library()


@register.inclusion_tag("_silenced.html", takes_context=True)
def silenced(context: dict[str, Any]) -> dict[str, Any]:
    request = context.get("request")
    return {"checks": settings.SILENCE if request and request.user.is_staff else ()}
