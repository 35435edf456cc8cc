"""The banner that says what is wrong, on every page."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser

from apps.queues import report

register = template.Library()


@register.inclusion_tag("_health.html", takes_context=True)
def health(context: dict[str, Any]) -> dict[str, Any]:
    return report.banner(getattr(context.get("request"), "user", AnonymousUser()))
