"""Inputs that show whatever stands in them: a browser shows nothing where it cannot read the value or offer it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    from collections.abc import Mapping

_READABLE = {
    "number": re.compile(r"-?(\d+|\d*\.\d+)([eE][+-]?\d+)?", re.ASCII),
    "date": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "datetime-local": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", re.ASCII),
    "time": re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII),
}


class TypedInput(forms.TextInput):
    """An input of a type such as "date", a plain one while it has to show something else."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        widget = context["widget"]
        wanted = self.attrs.get("type", self.input_type)
        shown = widget["value"]
        fits = wanted not in _READABLE or shown is None or _READABLE[wanted].fullmatch(str(shown))
        widget["type"] = wanted if fits else "text"
        widget["attrs"].pop("type", None)
        return context


class NumberInput(TypedInput):
    input_type = "number"


class TickBox(forms.CheckboxInput):
    """Whatever a link has for it is the field's to read."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:  # noqa: ARG002
        return data.get(name, "")

    def format_value(self, value: Any) -> str | None:
        return None if value in (True, False, None, "", "on", "true") else str(value)


class CodeInput(forms.Textarea):
    """Python, which static/js/editor.js makes an editor of."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 6, "class": "code long", "spellcheck": "false", "data-editor": "python"})


class CheckedSelect(forms.Select):
    """What is chosen although it cannot be is among the choices."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        self.choices = _with_unknown(self.choices, value)
        return super().optgroups(name, value, attrs)


class Boxes(forms.CheckboxSelectMultiple):
    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        self.choices = _with_unknown(self.choices, value)
        return super().optgroups(name, value, attrs)


def _with_unknown(choices: Any, value: list[str]) -> list[tuple[Any, Any]]:
    known = [sent for sent, _ in choices]
    return [*choices, *((sent, f"{sent} (not a choice)") for sent in value if sent and sent not in known)]
