"""One parameter of a kind as a form field: from its JSON Schema to an input that fits it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from apps.tasks import hints
from apps.tasks.inputs import (
    LEFT_OUT,
    BooleanParam,
    ChoiceParam,
    ChoicesParam,
    DecimalParam,
    JsonParam,
    LeftoverParam,
    LinesParam,
    ReadParam,
    TextParam,
    UnionParam,
    number_field,
)
from apps.tasks.kind_schemas import plain
from apps.tasks.widgets import CodeInput, TypedInput

if TYPE_CHECKING:
    from collections.abc import Sequence

Schema = dict[str, Any]
Field = Any  # one of apps.tasks.inputs

LONG_TEXT = 120  # characters, beyond which a text gets more than one line
MOST_BOXES = 24
CODE = "code"  # the widget of a text that is Python
SCALARS = ("integer", "number", "string", "boolean")


def param_field(
    name: str, schema: Any, root: Schema, *, required: bool, chosen: Any = LEFT_OUT, typed: str | None = None
) -> Field:
    """`root` holds the definitions that `schema` may point to. `chosen` stands there instead of the default.

    `typed`: what was typed into it, which may be more than the input that it would have can show.
    """
    schema, nullable = plain(schema, root)
    needed = required and "default" not in schema
    shown = schema if chosen is LEFT_OUT else {**schema, "default": chosen}
    field = _field(shown, root, nullable=nullable, needed=needed, typed=typed or "")
    none = "; [] is none at all" if isinstance(field, LinesParam) else ""
    field.error_messages["required"] = f"Fill this in: it has no default{none}."
    _tell(field, name, schema, root)
    if "default" in shown and not (shown["default"] == schema.get("default") == []):
        field.initial = field.shown(shown["default"])
    _empty(field, schema, nullable=nullable, needed=needed)
    return field


def leftover_field(name: str, value: Any = None, *, refused: bool) -> TextParam:
    """What was typed for a parameter that the kind does not have; emptied, it is gone. Without a kind it just stays."""
    field = LeftoverParam() if refused else TextParam()
    field.label, field.empty_value = name, LEFT_OUT
    field.initial = field.shown(value)
    return field


def choice_field(titles: Sequence[str], chosen: str, *, optional: bool) -> ChoiceParam:
    """Which of several models it is; each button stands above the fields of its own."""
    field = ChoiceParam(titles, unchosen="none" if optional else "")
    field.widget = forms.RadioSelect(choices=field.widget.choices)
    field.error_messages["required"] = "Choose one: it has no default."
    field.required, field.empty_value = not optional, None
    if chosen:
        field.initial = field.shown(chosen)
    return field


def code_names(schema: Schema, root: Schema) -> list[str]:
    """The parameters that hold code, of a kind's schema."""
    parts = schema.get("properties", {}).items()
    return [name for name, part in parts if plain(part, root)[0].get("widget") == CODE]


def _field(schema: Schema, root: Schema, *, nullable: bool, needed: bool, typed: str) -> Field:
    if values := _values(schema, nullable=nullable):
        unchosen = "" if "default" in schema else "choose one" if needed else "left out"
        return ChoiceParam(values, _names(schema), unchosen=unchosen)
    type_ = schema.get("type", "any of")
    make = _MAKERS.get(type_, _json_field) if isinstance(type_, str) else _json_field
    return make(schema, root, typed)


def _number_field(schema: Schema, _root: Schema, _typed: str) -> Field:
    return number_field(schema["type"], _range(schema, step=1 if schema["type"] == "integer" else "any"))


def _boolean_field(_schema: Schema, _root: Schema, _typed: str) -> Field:
    return BooleanParam()


def _text_field(schema: Schema, _root: Schema, _typed: str) -> Field:
    widget, format_ = schema.get("widget"), schema.get("format")
    default = schema.get("default")
    if widget == "password" or format_ == "password":
        # Not kept by the browser, and told again when the form comes back: nothing that was typed is lost.
        attrs = {"autocomplete": "new-password"}
        return TextParam(widget=forms.PasswordInput(render_value=True, attrs=attrs))
    if widget == CODE:
        return TextParam(widget=CodeInput())
    if format_ in _INPUTS:
        attrs = _INPUTS[format_] if "x-zone" not in schema else {}
        return ReadParam(widget=TypedInput(attrs=attrs))
    is_long = schema.get("maxLength", 0) > LONG_TEXT and format_ is None
    is_long = is_long or (isinstance(default, str) and ("\n" in default or len(default) > LONG_TEXT))
    if widget == "textarea" or is_long:
        return TextParam(widget=forms.Textarea(attrs={"rows": 3}))
    # Without maxlength: what is pasted beyond it would vanish without a word.
    return TextParam()


def _list_field(schema: Schema, root: Schema, typed: str) -> Field:
    """Boxes for a choice of several, lines for plain items; JSON for everything else, and where it was typed."""
    items, nullable = plain(schema.get("items"), root)
    default = schema.get("default")
    if (values := _values(items, nullable=nullable)) and len(values) <= MOST_BOXES:
        boxes = ChoicesParam(values, _names(items))
        given = sorted(default, key=str) if schema.get("uniqueItems") and isinstance(default, list) else default
        known = boxes.can_show(given) or (schema.get("uniqueItems") and boxes.can_show(_in_order(boxes, default)))
        if known and not typed.lstrip().startswith("["):
            return boxes
    elif items.get("type") in SCALARS and not nullable and "prefixItems" not in schema:
        return LinesParam(param_field("", items, root, required=True))
    elif not nullable and "prefixItems" not in schema and (types := _scalar_types(items, root)):
        return LinesParam(UnionParam(types, hints.wanted(items, root)))
    return _json_field(schema, root, typed)


def _in_order(boxes: ChoicesParam, default: Any) -> Any:
    """A set has no order: that of the boxes will do."""
    values = list(boxes.values.values())
    known = isinstance(default, list) and all(value in values for value in default)
    return [value for value in values if value in default] if known else default


def _union_field(schema: Schema, root: Schema, typed: str) -> Field:
    types = _scalar_types(schema, root)
    if not types:
        return _json_field(schema, root, typed)
    if _is_decimal(schema):
        return DecimalParam(widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    if types <= {"integer", "number"}:
        return number_field("number", {"step": "any"})
    return TextParam() if types == {"string"} else UnionParam(types, hints.wanted(schema, root))


def _json_field(schema: Schema, root: Schema, _typed: str) -> Field:
    field = JsonParam()
    field.shape = hints.shape(schema, root)
    return field


_MAKERS = {
    "integer": _number_field,
    "number": _number_field,
    "boolean": _boolean_field,
    "string": _text_field,
    "array": _list_field,
    "any of": _union_field,
}


def _tell(field: Field, name: str, schema: Schema, root: Schema) -> None:
    title = str(schema.get("title", ""))
    field.label = name
    # pydantic makes a title of the name where none was given.
    if title and "properties" not in schema and title.lower() != name.replace("_", " ").strip().lower():
        field.label = title if "enum" not in schema else name
    field.help_text = " · ".join(filter(None, [str(schema.get("description", "")), hints.limits(schema, root, field)]))
    field.unit = str(schema.get("unit", ""))[:20]
    placeholder = _placeholder(field, schema)
    if placeholder and isinstance(field.widget, forms.TextInput | forms.Textarea):
        field.widget.attrs["placeholder"] = placeholder


def _placeholder(field: Field, schema: Schema) -> str:
    examples = schema.get("examples")
    if isinstance(examples, list) and examples and not isinstance(field, JsonParam):
        return f"such as {field.shown(examples[0])}"
    if isinstance(field, JsonParam) or schema.get("default", LEFT_OUT) is not None:
        return ""
    return "none"


def _empty(field: Field, schema: Schema, *, nullable: bool, needed: bool) -> None:
    """What it means to leave it empty."""
    if isinstance(field, ReadParam):
        field.required = needed and (not nullable or isinstance(field, ChoiceParam))
        field.empty_value = None if needed else LEFT_OUT
    elif isinstance(field, ChoicesParam):
        field.empty_value = None if nullable and schema.get("default", LEFT_OUT) is None else []
    elif isinstance(field, TextParam) and (nullable or (not needed and "default" not in schema)):
        field.empty_value = None if needed else LEFT_OUT


def _values(schema: Schema, *, nullable: bool) -> list[Any]:
    """What there is to choose from, if it is a choice. A box to tick has no third state for null."""
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if not values and nullable and schema.get("type") == "boolean":
        values = [True, False]
    return [None, *values] if values and nullable and None not in values else values


def _names(schema: Schema) -> list[str]:
    names = schema.get("x-names")
    return [str(name) for name in names] if isinstance(names, list) else []


def _scalar_types(schema: Schema, root: Schema) -> set[str]:
    """The types of a union of plain ones; empty when it is none or one of them is not plain."""
    types: set[str] = set()
    for option in schema.get("anyOf", ()):
        part, _ = plain(option, root)
        values = part.get("enum", [part["const"]] if "const" in part else None)
        type_ = "string" if values and all(isinstance(value, str) for value in values) else part.get("type")
        if type_ == "null":
            continue
        if not isinstance(type_, str) or type_ not in SCALARS:
            return set()
        types.add(type_)
    return types


def _is_decimal(schema: Schema) -> bool:
    return any(isinstance(part, dict) and part.get("format") == "decimal" for part in schema.get("anyOf", ()))


def _range(schema: Schema, *, step: str | int) -> dict[str, Any]:
    # Without multipleOf: a browser counts its steps from the minimum.
    limits = {"min": schema.get("minimum"), "max": schema.get("maximum"), "step": step}
    return {name: limit for name, limit in limits.items() if limit is not None}


# Inputs for times of whole seconds without a zone; they are plain ones where they cannot show what stands in them.
_INPUTS: dict[str, dict[str, Any]] = {
    "date": {"type": "date"},
    "date-time": {"type": "datetime-local", "step": 1},
    "time": {"type": "time", "step": 1},
    "duration": {},
    "uuid": {"spellcheck": "false"},
    "path": {"spellcheck": "false"},
    "uri": {"spellcheck": "false", "inputmode": "url"},
}
