"""Times as people read them. The browser keeps them moving and in its own zone (static/js/times.js)."""

from datetime import UTC, datetime

from django import template

from apps.tasks import sentences

register = template.Library()


@register.filter
def ago(moment: datetime, now: datetime) -> str:
    """ "just now", "45 s ago", "3 min ago", "2 h ago", "5 d ago", then the date. The same steps as in times.js."""
    seconds = (now - moment).total_seconds()
    if seconds < 5:
        return "just now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size and seconds < 30 * 86_400:
            return f"{int(seconds // size)} {unit} ago"
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


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
