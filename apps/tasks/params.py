"""One parameter of a kind as a form field: from its JSON Schema to an input that fits it."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from apps.tasks import strict_json

Schema = dict[str, Any]


def param_field(name: str, schema: Schema, root: Schema, *, required: bool, chosen: Any = None) -> forms.Field:
    """`root` holds the definitions that `schema` may point to. `chosen` stands there instead of the default."""
    schema, nullable = _plain(schema, root)
    field = _field(schema)
    optional = nullable or "default" in schema or isinstance(field, TextParam | BooleanParam)
    field.required = required and not optional
    field.error_messages["required"] = "Fill this in: it has no default."
    field.label = name
    field.help_text = schema.get("description", "")
    value = schema.get("default") if chosen is None else chosen
    field.initial = None if value is None else _shown(field, value)
    if nullable and isinstance(field, TextParam):
        field.empty_value = None
    return field


class TextParam(forms.CharField):
    """A text, as it was typed: blanks count, and whether it can be stored is the service's to say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"strip": False, "required": False, **options})
        self.validators.clear()


class BooleanParam(forms.BooleanField):
    def __init__(self) -> None:
        super().__init__(required=False)


class JsonParam(forms.CharField):
    """Anything that has no input of its own, as JSON."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "code", "spellcheck": "false"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return strict_json.loads(text) if text else None
        except strict_json.BadJson as error:
            raise forms.ValidationError(str(error)) from None


class ChoiceParam(forms.TypedChoiceField):
    """One of an enum's values, whatever their types: the browser sends their JSON."""

    def __init__(self, values: list[Any]) -> None:
        choices = [(json.dumps(value), value if isinstance(value, str) else json.dumps(value)) for value in values]
        super().__init__(choices=choices, coerce=json.loads, empty_value=None)


def _plain(schema: Schema, root: Schema) -> tuple[Schema, bool]:
    """The schema itself instead of a pointer to it, without "or null"; and whether it had that."""
    pointer = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", []) if "$ref" in part), "")
    if pointer.startswith("#/$defs/"):
        schema = {**root.get("$defs", {}).get(pointer.removeprefix("#/$defs/"), {}), **schema}
    options = schema.get("anyOf", [])
    others = [option for option in options if option.get("type") != "null"]
    if len(others) == 1 and len(options) == 2:
        return {**_plain(others[0], root)[0], **{k: v for k, v in schema.items() if k != "anyOf"}}, True
    return schema, False


def _field(schema: Schema) -> forms.Field:
    if "enum" in schema or "const" in schema:
        return ChoiceParam(schema.get("enum") or [schema["const"]])
    match schema.get("type"):
        case "integer":
            return forms.IntegerField(widget=forms.NumberInput(attrs=_range(schema, step=1)))
        case "number":
            return forms.FloatField(widget=forms.NumberInput(attrs=_range(schema, step="any")))
        case "boolean":
            return BooleanParam()
        case "string":
            length = {"maxlength": schema["maxLength"]} if "maxLength" in schema else {}
            return TextParam(widget=forms.TextInput(attrs=length))
    return JsonParam()


def _range(schema: Schema, *, step: str | int) -> dict[str, Any]:
    limits = {"min": schema.get("minimum"), "max": schema.get("maximum"), "step": schema.get("multipleOf", step)}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _shown(field: forms.Field, value: Any) -> Any:
    return json.dumps(value) if isinstance(field, JsonParam | ChoiceParam) else value
