"""Times as people read them. The browser keeps them moving and in its own zone (static/js/times.js)."""

from datetime import UTC, datetime

from django import template

from apps.tasks import sentences

register = template.Library()


@register.filter
def ago(moment: datetime, now: datetime) -> str:
    return sentences.ago(moment, now)


@register.filter
def iso(moment: datetime) -> str:
    """For `<time datetime>`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@register.filter
def exact(moment: datetime) -> str:
    """What stands there until the browser puts its own zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@register.filter
def clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M} UTC"


@register.filter
def second(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


@register.filter
def limit(seconds: float) -> str:
    return sentences.limit(seconds)


@register.filter
def duration(seconds: float | None) -> str:
    return "" if seconds is None else sentences.duration(seconds)


@register.filter
def seconds_since(moment: datetime, now: datetime) -> str:
    return sentences.count((now - moment).total_seconds())
