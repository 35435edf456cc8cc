"""What a handler returned, as a number and JSON that every part of the flow can carry.

Plain JSON takes the short way through the C encoder; whatever that refuses, or lets pass wrongly, is walked through.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from workers.messages import BIGGEST_ID, MAX_RESULT_BYTES, MAX_RESULT_DEPTH, nested_deeper
from workers.raised import clean

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class TooLarge(Exception):
    """More than MAX_RESULT_BYTES of JSON."""


class NotSerialisable(Exception):
    """Something in it has no form in JSON; the text names its type and where it is."""


def to_wire(returned: Any) -> tuple[str | None, str | None]:
    """(value, result) of messages.Outcome. Raises TooLarge, NotSerialisable."""
    if returned is None:
        return None, None
    if type(returned) is float:
        return repr(returned), None
    if type(returned) is int and abs(returned) <= BIGGEST_ID:
        return (text := str(returned)), text
    returned = _without_numpy(returned, "result")
    if isinstance(returned, float):
        return float.__repr__(returned), None
    result = _json(returned)
    size = len(result.encode())
    if size > MAX_RESULT_BYTES:
        raise TooLarge(_too_large(f"{size:,} bytes of JSON"))
    return _number(returned, result), result


def _number(returned: Any, result: str) -> str | None:
    if isinstance(returned, int) and not isinstance(returned, bool) and math.isfinite(float(result)):
        return result
    return None


def _json(returned: Any) -> str:
    try:
        text = _encode(returned)
        text.encode()
    except (TypeError, ValueError, RecursionError):  # UnicodeEncodeError (a lone surrogate) is a ValueError
        return _encode(_Walk().plain(returned, "result", ()))
    if "\\u0000" in text or nested_deeper(returned, MAX_RESULT_DEPTH):
        return _encode(_Walk().plain(returned, "result", ()))
    return text


class _Walk:
    """Through everything in a value; what it makes of it cannot outgrow a result by much."""

    def __init__(self) -> None:
        self._left = MAX_RESULT_BYTES // 2  # members: each is at least one character and a comma

    def plain(self, value: Any, path: str, inside: tuple[int, ...]) -> Any:
        """The same in dicts, lists, texts and numbers alone."""
        value = _without_numpy(value, path)
        if isinstance(value, Enum):  # before the others: it may be a number or a text as well
            return self.plain(value.value, path, inside)
        for types, convert in _SIMPLE:
            if isinstance(value, types):
                return convert(value)
        return self._container(value, path, inside)

    def _container(self, value: Any, path: str, inside: tuple[int, ...]) -> Any:
        if id(value) in inside:
            raise NotSerialisable(f"{_shown(path)} contains itself")
        if len(inside) >= MAX_RESULT_DEPTH:
            raise NotSerialisable(f"{_shown(path)} is nested deeper than {MAX_RESULT_DEPTH} levels")
        inside = (*inside, id(value))
        members = _members(value)
        if isinstance(members, Mapping):
            return {
                self._key(k, path): self.plain(v, f"{path}[{k!r:.50}]", inside)
                for k, v in self._counted(members.items())
            }
        if isinstance(members, Iterable):
            return [self.plain(each, f"{path}[{i}]", inside) for i, each in enumerate(self._counted(members))]
        what = f"{_one(value)} (at {_shown(path)})"
        raise NotSerialisable(f"{what} cannot be stored as JSON{_hint(value)}")

    def _counted(self, members: Iterable[Any]) -> Iterable[Any]:
        for each in members:
            self._left -= 1
            if self._left < 0:
                raise TooLarge(_too_large(f"more than {MAX_RESULT_BYTES // 2:,} elements"))
            yield each

    def _key(self, key: Any, path: str) -> str:
        if isinstance(key, str):
            return _storable(key)
        if key is None or isinstance(key, bool | int | float | UUID | Decimal | date | Enum):
            plain = self.plain(key, path, ())
            return plain if isinstance(plain, str) else _encode(plain)
        raise NotSerialisable(f"{_one(key)} as a key of {_shown(path)} cannot be stored as JSON")


def _one(value: Any) -> str:
    name = type(value).__qualname__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _members(value: Any) -> Any:
    """A mapping, an iterable, or None when it has no members that JSON could show."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "model_dump") and not isinstance(value, type):  # a pydantic model, of either major version's API
        return value.model_dump()
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Set):
        return _sorted_if_possible(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return value
    return None


def _without_numpy(value: Any, path: str) -> Any:
    numpy = sys.modules.get("numpy")  # not imported for those who do not use it
    if numpy is None or not isinstance(value, numpy.generic | numpy.ndarray):
        return value
    if isinstance(value, numpy.ndarray) and value.size * 2 > MAX_RESULT_BYTES:
        raise TooLarge(_too_large(f"an array of {value.size:,} elements at {_shown(path)}"))
    plain = value.tolist()
    if isinstance(plain, numpy.generic):  # e.g. a longdouble, which has no Python counterpart
        return float(plain) if numpy.issubdtype(plain.dtype, numpy.floating) else str(plain)
    return plain


def _whole(value: int) -> int:
    try:
        str(int(value))
    except ValueError:
        digits = f"more than {sys.get_int_max_str_digits():,} digits"
        raise NotSerialisable(f"it holds a whole number of {digits}") from None
    return int(value)


def _finite(value: float) -> float | str:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _storable(text: str) -> str:
    return clean(text, MAX_RESULT_BYTES * 4)


def _sorted_if_possible(value: Set[Any]) -> list[Any]:
    try:
        return sorted(value)
    except TypeError:
        return list(value)


def _hint(value: Any) -> str:
    return "; decode it, or encode it as base64" if isinstance(value, bytes | bytearray | memoryview) else ""


def _shown(path: str) -> str:
    return clean(path, 300)


def _too_large(what: str) -> str:
    return f"it returned {what}; at most {MAX_RESULT_BYTES:,} bytes are kept. Store it elsewhere and return where."


# In this order: a bool is a number as well.
_SIMPLE: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((bool, type(None)), lambda each: each),
    (str, _storable),
    (int, _whole),
    (float, _finite),
    ((Decimal, UUID, PurePath), lambda each: _storable(str(each))),
    ((date, time), lambda each: each.isoformat()),
    (timedelta, timedelta.total_seconds),
)
