"""The banner that says what is wrong, on every page."""

from django import template

from apps.queues import report

register = template.Library()


@register.inclusion_tag("_health.html")
def health() -> dict[str, str]:
    return report.banner()
