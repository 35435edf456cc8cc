"""How well text can be read, where axe does not look: it leaves out what lies under a textarea."""

import re
from collections.abc import Sequence
from typing import Literal

from playwright.sync_api import Page

SCHEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")


def least_contrast(page: Page, box: str) -> float:
    """Of the colours of the text of a box with code against the box, in either theme."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found += contrasts(page, box)
    return min(found)


def contrasts(page: Page, box: str) -> list[float]:
    parts = f"{box} :is(.token, .pce-line, .line-numbers)"
    colours = page.locator(parts).evaluate_all("all => [...new Set(all.map(each => getComputedStyle(each).color))]")
    ground = page.locator(box).evaluate("each => getComputedStyle(each).backgroundColor")
    assert len(colours) > 5
    return [contrast(colour, ground) for colour in colours]


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
