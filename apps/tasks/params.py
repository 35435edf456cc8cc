"""One parameter of a kind as a form field: from its JSON Schema to an input that fits it.

What a field reads is checked by the service; a field refuses only what cannot be read.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django import forms

from apps.tasks import mistakes, strict_json
from apps.tasks.kind_schemas import plain

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]

LEFT_OUT: Any = object()  # the handler's own default applies

# Python's own reading of numbers takes 1_000 and the digits of every script too.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)


def param_field(name: str, schema: Any, root: Schema, *, required: bool, chosen: Any = LEFT_OUT) -> forms.Field:
    """`root` holds the definitions that `schema` may point to. `chosen` stands there instead of the default."""
    schema, nullable = plain(schema, root)
    needed = required and "default" not in schema
    shown = schema if chosen is LEFT_OUT else {**schema, "default": chosen}
    field = _field(shown, nullable=nullable, needed=needed)
    field.error_messages["required"] = "Fill this in: it has no default."
    field.label = name
    field.help_text = _help(schema)
    if "default" in shown:
        field.initial = _shown(field, shown["default"])
    if isinstance(field, ReadParam):
        field.required = needed and (not nullable or isinstance(field, ChoiceParam))
        field.empty_value = None if needed else LEFT_OUT
    elif isinstance(field, TextParam) and (nullable or (not needed and "default" not in schema)):
        field.empty_value = None if needed else LEFT_OUT
    return field


def leftover_field(name: str) -> forms.Field:
    """What was typed for a parameter that the kind does not have; emptied, it is gone."""
    field = TextParam(label=name, help_text="Kept as it was typed; this kind has no such parameter.")
    field.empty_value = LEFT_OUT
    return field


class TextParam(forms.CharField):
    """A text, as it was typed: blanks count, and whether it can be stored is the service's to say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"strip": False, "required": False, **options})
        self.validators.clear()


class ReadParam(TextParam):
    """A text that stands for something else; left empty, it stands for nothing."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return self.read(text) if isinstance(text, str) and text.strip() else self.emptied()

    def emptied(self) -> Any:
        if self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return self.empty_value

    def read(self, text: str) -> Any:
        return text.strip()


class IntegerParam(ReadParam):
    def read(self, text: str) -> int:
        text = text.strip()
        if not _WHOLE.fullmatch(text):
            raise forms.ValidationError(mistakes.must("a whole number, such as 42", text))
        if len(text) > strict_json.MAX_DIGITS:
            raise forms.ValidationError(strict_json.too_many_digits(len(text)))
        return int(text.partition(".")[0])


class FloatParam(ReadParam):
    def read(self, text: str) -> float:
        text = text.strip()
        if not _NUMBER.fullmatch(text):
            raise forms.ValidationError(mistakes.must("a finite number, such as 2.5", text))
        if math.isinf(float(text)):
            raise forms.ValidationError(mistakes.must("a number of at most 1.7e308", text))
        return float(text)


class JsonParam(ReadParam):
    """Anything that has no input of its own, as JSON."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "code", "spellcheck": "false"})

    def read(self, text: str) -> Any:
        try:
            return strict_json.loads(text)
        except strict_json.BadJson as error:
            raise forms.ValidationError(str(error)) from None


class ChoiceParam(ReadParam):
    """One of an enum's values, whatever their types: the browser sends their JSON."""

    def __init__(self, values: list[Any], *, unchosen: str) -> None:
        """`unchosen`: the label of the empty choice that it begins with, if any."""
        self.values = {json.dumps(value): value for value in values}
        choices = [(sent, value if isinstance(value, str) else sent) for sent, value in self.values.items()]
        super().__init__(widget=forms.Select(choices=[("", unchosen), *choices] if unchosen else choices))

    def read(self, text: str) -> Any:
        if text not in self.values:
            raise forms.ValidationError(mistakes.must(mistakes.one_of(list(self.values.values())), text))
        return self.values[text]


class BooleanParam(forms.BooleanField):
    def __init__(self) -> None:
        super().__init__(required=False)


def _field(schema: Schema, *, nullable: bool, needed: bool) -> forms.Field:
    if values := _values(schema, nullable=nullable):
        unchosen = "" if "default" in schema else "choose one" if needed else "left out"
        return ChoiceParam(values, unchosen=unchosen)
    match schema.get("type"):
        case "integer" | "number" as type_:
            field, step = (IntegerParam, 1) if type_ == "integer" else (FloatParam, "any")
            return field(widget=forms.NumberInput(attrs=_range(schema, step=step)))
        case "boolean":
            return BooleanParam()
        case "string" if schema.get("format") in _INPUTS:
            return ReadParam(widget=forms.TextInput(attrs=_INPUTS[schema["format"]](schema.get("default"))))
        case "string":
            # Without maxlength: what is pasted beyond it would vanish without a word.
            return TextParam()
    return JsonParam()


def _values(schema: Schema, *, nullable: bool) -> list[Any]:
    """What there is to choose from, if it is a choice. A box to tick has no third state for null."""
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if not values and nullable and schema.get("type") == "boolean":
        values = [True, False]
    return [None, *values] if values and nullable else values


def _range(schema: Schema, *, step: str | int) -> dict[str, Any]:
    # Without multipleOf: a browser counts its steps from the minimum.
    limits = {"min": schema.get("minimum"), "max": schema.get("maximum"), "step": step}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _clock(type_: str, reader: Callable[[str], datetime | time]) -> Callable[[Any], dict[str, Any]]:
    """An input for a time of whole seconds without a zone, unless it could not show the default."""

    def attributes(default: Any) -> dict[str, Any]:
        try:
            fits = default is None or (reader(default).tzinfo is None and not reader(default).microsecond)
        except (TypeError, ValueError):
            fits = False
        return {"type": type_, "step": 1} if fits else {}

    return attributes


_INPUTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "date": lambda _default: {"type": "date"},
    "date-time": _clock("datetime-local", datetime.fromisoformat),
    "time": _clock("time", time.fromisoformat),
    "duration": lambda _default: {},
    "uuid": lambda _default: {},
}


def _help(schema: Schema) -> str:
    description = str(schema.get("description", ""))
    return f"{description} (pattern: {schema['pattern']})".strip() if "pattern" in schema else description


def _shown(field: forms.Field, default: Any) -> Any:
    if isinstance(field, ChoiceParam):
        return json.dumps(default)
    if isinstance(field, BooleanParam):
        return default is True
    if default is None:
        return None
    return json.dumps(default) if isinstance(field, JsonParam) or not isinstance(default, str) else default
