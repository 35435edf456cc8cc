"""Counts as small bars, for SVG that is drawn on the server."""

from dataclasses import dataclass

from django import template

register = template.Library()

STEP, WIDTH, HEIGHT = 4, 3, 20
LEAST = 2  # so that one among thousands is seen


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: float
    height: float
    count: int


@register.filter
def bars(counts: tuple[int, ...]) -> list[Bar]:
    """One for each count, 0 to HEIGHT high from the top's y on; those of nothing have none."""
    most = max(counts, default=0)
    heights = [max(round(HEIGHT * count / most, 1), LEAST) if count else 0 for count in counts]
    return [
        Bar(at * STEP, round(HEIGHT - height, 1), height, count)
        for at, (height, count) in enumerate(zip(heights, counts, strict=True))
    ]


@register.simple_tag
def hours_said(hours: tuple[int, ...], cap: int) -> str:
    """What the bars show, in words."""
    if not any(hours):
        return "none in the last 24 h"
    more = "more than " if max(hours) > cap else ""
    total, most = sum(min(count, cap) for count in hours), min(max(hours), cap)
    return f"{more}{total:,} in the last 24 h, {more}{most:,} in the worst hour"
