"""What the field template asks of a field."""

import re

from django import forms, template
from django.forms.boundfield import BoundField

from apps.tasks.widgets import CodeInput

register = template.Library()


@register.filter
def is_tick(field: BoundField) -> bool:
    """Whether it is a box to tick, which stands before its label."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_boxes(field: BoundField) -> bool:
    """Whether it is several boxes, which need a legend instead of a label."""
    return isinstance(field.field.widget, forms.CheckboxSelectMultiple)


@register.filter
def is_code(field: BoundField) -> bool:
    return isinstance(field.field.widget, CodeInput)


@register.filter
def paragraphs(doc: str) -> list[list[str]]:
    """A docstring's paragraphs, each in parts: text and `code` in turn."""
    return [_unwrapped(paragraph).split("`") for paragraph in doc.split("\n\n") if paragraph.strip()]


def _unwrapped(paragraph: str) -> str:
    """On one line, but for sentences that begin with code: they are a list."""
    lines = re.split(r"(?<=[.:;])[ \t]*\n\s*(?=`)", paragraph)
    return "\n".join(" ".join(line.split()) for line in lines)
