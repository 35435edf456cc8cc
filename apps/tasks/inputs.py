"""The form fields of parameters: each shows a JSON value as text and reads it back, or says why it cannot.

What a field reads is checked by the service; a field refuses only what cannot be read.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from django import forms

from apps.tasks import mistakes, strict_json
from apps.tasks.widgets import Boxes, CheckedSelect, NumberInput, TickBox

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

LEFT_OUT: Any = object()  # the handler's own default applies

# Python's own reading of numbers takes 1_000 and the digits of every script too.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_NEW_LINE = re.compile(r"\r\n?|\n")
_TRUTHS = {**dict.fromkeys(("true", "on", "yes", "1"), True), **dict.fromkeys(("", "false", "off", "no", "0"), False)}
MOST_LINES_TOLD = 5


class TextParam(forms.CharField):
    """A text, as it was typed: blanks count, and whether it can be stored is the service's to say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"strip": False, "required": False, **options})
        self.validators.clear()

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        # A browser sends every line's end as two characters.
        return _NEW_LINE.sub("\n", text) if isinstance(text, str) else text

    def shown(self, value: Any) -> Any:
        """What stands in the input for a JSON value."""
        return value if value is None or isinstance(value, str) else json.dumps(value)

    def from_link(self, typed: Any) -> Any:
        """What stands in the input for what a link has for it."""
        return typed


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


class LeftoverParam(TextParam):
    """Something for a parameter that there is not."""

    def clean(self, value: Any) -> Any:
        if super().clean(value) == self.empty_value:
            return self.empty_value
        raise forms.ValidationError(f"There is no parameter {self.label!r:.100} any more: empty this to go on.")


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


class DecimalParam(ReadParam):
    """Kept as its text: a JSON number would lose digits."""

    def read(self, text: str) -> str:
        text = text.strip()
        if not _NUMBER.fullmatch(text):
            raise forms.ValidationError(mistakes.must("a decimal number, such as 12.50", text))
        return text


class UnionParam(ReadParam):
    """One of several plain types, told apart by how it is written; a text in quotes is one in any case."""

    def __init__(self, types: Collection[str], wanted: str, **options: Any) -> None:
        super().__init__(**options)
        self.types, self.wanted = types, wanted

    def read(self, text: str) -> Any:
        word = text.strip()
        if {"integer", "number"} & set(self.types) and _WHOLE.fullmatch(word):
            return IntegerParam().read(word)
        if "number" in self.types and _NUMBER.fullmatch(word):
            return FloatParam().read(word)
        if "boolean" in self.types and word.lower() in ("true", "false"):
            return word.lower() == "true"
        if "string" not in self.types:
            raise forms.ValidationError(mistakes.must(self.wanted, word))
        return _unquoted(word) or text

    def shown(self, value: Any) -> Any:
        """A text that would be read as something else stands in quotes."""
        if isinstance(value, str) and value.strip():
            try:
                same = self.read(value) == value
            except forms.ValidationError:
                same = True
            return value if same else json.dumps(value, ensure_ascii=False)
        return super().shown(value)


class JsonParam(ReadParam):
    """Anything that has no input of its own, as JSON. `shape`: what it looks like."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "code", "spellcheck": "false"})
    shape = ""

    def read(self, text: str) -> Any:
        try:
            return strict_json.loads(text)
        except strict_json.BadJson as error:
            raise forms.ValidationError(str(error)) from None

    def shown(self, value: Any) -> Any:
        return None if value is None else json.dumps(value, ensure_ascii=False)


class LinesParam(ReadParam):
    """A list, one item a line, which `item` reads. JSON is read too: it can hold what lines cannot."""

    def __init__(self, item: forms.Field) -> None:
        attrs = {"rows": 3, "class": "code", "spellcheck": "false"}
        super().__init__(widget=forms.Textarea(attrs=attrs))
        self.item = item
        self.texts = type(item) is TextParam  # any line is one

    def read(self, text: str) -> list[Any]:
        if text.lstrip().startswith("["):
            try:
                value = strict_json.loads(text)
            except strict_json.BadJson as error:
                if not self.texts:
                    raise forms.ValidationError(str(error)) from None
            else:
                if isinstance(value, list):
                    return value
        return self._read_lines([line.strip() for line in text.split("\n") if line.strip()])

    def shown(self, value: Any) -> Any:
        if not isinstance(value, list):
            return None if value is None else json.dumps(value, ensure_ascii=False)
        text = "\n".join(str(self.item.shown(item)) for item in value)  # type: ignore[attr-defined]
        try:
            same = bool(value) and self.read(text) == value
        except forms.ValidationError:
            same = False
        return text if same else json.dumps(value, ensure_ascii=False)

    def from_link(self, typed: Any) -> Any:
        return "\n".join(typed) if isinstance(typed, list) else typed

    def _read_lines(self, lines: Sequence[str]) -> list[Any]:
        values, mistakes_ = [], []
        for number, line in enumerate(lines, 1):
            try:
                values.append(self.item.clean(line))
            except forms.ValidationError as error:
                mistakes_.append(f"Item {number}: {error.messages[0]}")
        if len(mistakes_) > MOST_LINES_TOLD:
            mistakes_[MOST_LINES_TOLD - 1 :] = [f"So are {len(mistakes_) - MOST_LINES_TOLD + 1:,} more."]
        if mistakes_:
            raise forms.ValidationError(mistakes_)
        return values


class ChoiceParam(ReadParam):
    """One of an enum's values, whatever their types: the browser sends their JSON."""

    def __init__(self, values: Sequence[Any], names: Sequence[str] = (), *, unchosen: str) -> None:
        """`unchosen`: the label of the empty choice that it begins with, if any."""
        self.values = {json.dumps(value): value for value in values}
        choices = _labelled(self.values, names)
        super().__init__(widget=CheckedSelect(choices=[("", unchosen), *choices] if unchosen else choices))

    def read(self, text: str) -> Any:
        if text not in self.values:
            raise forms.ValidationError(mistakes.must(mistakes.one_of(list(self.values.values())), _meant(text)))
        return self.values[text]

    def shown(self, value: Any) -> Any:
        return json.dumps(value)

    def from_link(self, typed: Any) -> Any:
        return _key(typed, self.values)


class ChoicesParam(forms.Field):
    """Any number of an enum's values: a box to tick for each."""

    def __init__(self, values: Sequence[Any], names: Sequence[str] = ()) -> None:
        self.values = {json.dumps(value): value for value in values}
        super().__init__(required=False, widget=Boxes(choices=_labelled(self.values, names)))
        self.empty_value: Any = []

    def clean(self, value: Any) -> Any:
        sent = [text for text in value or [] if text != ""]
        if unknown := [text for text in sent if text not in self.values]:
            wanted = mistakes.one_of(list(self.values.values()))
            raise forms.ValidationError([mistakes.must(wanted, _meant(text)) for text in unknown[:MOST_LINES_TOLD]])
        return [self.values[text] for text in sent] or self.empty_value

    def can_show(self, value: Any) -> bool:
        """Whether the boxes, in their order, give back just this."""
        known = [own for own in self.values.values() if isinstance(value, list) and own in value]
        return value is None or known == value

    def shown(self, value: Any) -> Any:
        return [json.dumps(each) for each in value or []]

    def from_link(self, typed: Any) -> Any:
        return [_key(text, self.values) for text in typed if text != ""]


class BooleanParam(forms.Field):
    """A box to tick; a link may say true or false."""

    widget = TickBox

    def __init__(self) -> None:
        super().__init__(required=False)

    def clean(self, value: Any) -> bool:
        text = str(value or "").strip().lower()
        if text not in _TRUTHS:
            raise forms.ValidationError(mistakes.must("true or false", value))
        return _TRUTHS[text]

    def shown(self, value: Any) -> Any:
        return value if isinstance(value, bool) else json.dumps(value)

    def from_link(self, typed: Any) -> Any:
        return _TRUTHS.get(str(typed).strip().lower(), typed)


def number_field(type_: str, attrs: dict[str, Any]) -> ReadParam:
    field = IntegerParam if type_ == "integer" else FloatParam
    return field(widget=NumberInput(attrs=attrs))


def _labelled(values: dict[str, Any], names: Sequence[str]) -> list[tuple[str, str]]:
    plain = [(sent, value if isinstance(value, str) else sent) for sent, value in values.items()]
    fits = len(names) == len([value for value in values.values() if value is not None])
    if not names or not fits:
        return plain
    named = iter(names)
    return [(sent, text if values[sent] is None else f"{next(named)} ({text})") for sent, text in plain]


def _key(text: Any, values: dict[str, Any]) -> Any:
    """A text by itself stands for its JSON."""
    quoted = json.dumps(text)
    return quoted if text not in values and quoted in values else text


def _meant(text: str) -> Any:
    return _unquoted(text) or text


def _unquoted(word: str) -> str:
    """The text that stands in quotes; "" when none does."""
    if not (len(word) > 1 and word[0] == word[-1] == '"'):
        return ""
    try:
        value = strict_json.loads(word)
    except strict_json.BadJson:
        return ""
    return value if isinstance(value, str) else ""
