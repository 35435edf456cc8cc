"""Counts as small bars, for SVG that is drawn on the server."""

from django import template

register = template.Library()

STEP, WIDTH, HEIGHT = 4, 3, 20
LEAST = 2  # so that one among thousands is seen


@register.filter
def bars(counts: tuple[int, ...]) -> str:
    """One for each count that is not 0, as the `d` of one path: a template would need long for so many elements."""
    most = max(counts, default=0)
    return "".join(_bar(at * STEP, max(round(HEIGHT * n / most), LEAST)) for at, n in enumerate(counts) if n)


def _bar(x: int, height: int) -> str:
    return f"M{x} {HEIGHT - height}h{WIDTH}v{height}h-{WIDTH}z"


@register.simple_tag
def hours_said(hours: tuple[int, ...], cap: int) -> str:
    """What the bars show, in words."""
    if not any(hours):
        return "none in the last 24 h"
    more = "more than " if max(hours) > cap else ""
    total, most = sum(min(count, cap) for count in hours), min(max(hours), cap)
    return f"{more}{total:,} in the last 24 h, {more}{most:,} in the worst hour"
