"""Values as people read them: a number in four significant digits, a result or an error in one short line."""

import json
import math
import re
from typing import Any

from django import template

from apps.tasks import sentences, tracebacks

register = template.Library()
register.filter(sentences.number_text)
register.filter("frames", tracebacks.parts)

SHORT = 80
WHOLE_BELOW = 1e6


@register.filter
def short_number(value_text: str) -> str:
    """ "0.123456" -> "0.1235", "1234567.8" -> "1.235e6", "inf" -> "∞"; whole numbers below a million stay whole."""
    try:
        value = float(value_text)
    except ValueError:
        return value_text
    if not math.isfinite(value):
        return sentences.number_text(value_text)
    if value.is_integer() and abs(value) < WHOLE_BELOW:
        return f"{value:.0f}"
    return _exponent(f"{value:.4g}")


@register.filter
def short_text(text: str | None) -> str:
    """The text on one line, cut where a cell ends."""
    line = " ".join((text or "")[: 4 * SHORT].split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}…"


@register.filter
def short_json(text: str) -> str:
    """JSON text on one line, its escapes as the characters they stand for unless it has been cut."""
    try:
        return short_text(json.dumps(json.loads(text), ensure_ascii=False))
    except ValueError:
        return short_text(_TEXT_OR_MARK.sub(lambda found: found[1] or f"{found[2]} ", text))


@register.filter
def pretty_json(value: Any) -> str:
    """Indented JSON of a value, or of JSON text; a text that is none stays as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def line_numbers(text: str) -> range:
    """Of a text whose last line may have an end."""
    return range(1, text.count("\n") + (0 if text.endswith("\n") else 1) + 1)


@register.filter
def bytes(count: int | None) -> str:  # noqa: A001 the word that stands in templates
    """ "312 KiB", "1.4 GiB"; empty when it is not known."""
    if count is None:
        return ""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.3g} {_BYTE_UNITS[unit]}"


_BYTE_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


@register.filter
def capped(count: int, cap: int) -> str:
    """ "10,000+" for what was counted no further than the cap."""
    return f"{cap:,}+" if count > cap else f"{count:,}"


# A comma or colon between values, which JSON text that was not cut has a blank after; the last text may lack its end.
_TEXT_OR_MARK = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\\?$))|([,:])\s*')


def _exponent(text: str) -> str:
    """ "1.235e+06" -> "1.235e6", "1e-05" -> "1e-5"."""
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text
