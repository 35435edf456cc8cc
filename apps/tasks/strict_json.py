"""JSON as people type it, read strictly: no NaN, no duplicate keys, nothing nested without end."""

import json
from typing import Any, NoReturn

from workers.messages import storable

MAX_DEPTH = 64
MAX_DIGITS = 400
MAX_BYTES = 65_536
_TOO_LARGE = 10**MAX_DIGITS


class BadJson(ValueError):
    """What is wrong, in a sentence for the person who typed it."""


def loads(text: str) -> Any:
    """The value of the text. Raises BadJson."""
    size = len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise BadJson(f"At most {MAX_BYTES:,} bytes (it has {size:,}).")
    try:
        value = json.loads(text, parse_constant=_constant, parse_int=_int, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise BadJson(f"Not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise BadJson(f"Nested too deeply (limit {MAX_DEPTH}).") from None
    check(value)
    return value


def check(value: Any) -> None:
    """The same rules for a value that was parsed elsewhere (GraphQL variables). Raises BadJson."""
    stack = [(value, 1)]
    while stack:
        item, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise BadJson(f"Nested too deeply (limit {MAX_DEPTH}).")
        if isinstance(item, dict):
            stack += [(key, depth) for key in item] + [(child, depth + 1) for child in item.values()]
        elif isinstance(item, list):
            stack += [(child, depth + 1) for child in item]
        else:
            _check_scalar(item)


def too_many_digits(count: int) -> str:
    return f"A whole number has at most {MAX_DIGITS} digits (one has {count:,})."


def _check_scalar(item: object) -> None:
    if isinstance(item, str) and not storable(item):
        raise BadJson("Not valid Unicode: a NUL or half of a surrogate pair.")
    if isinstance(item, float) and (item != item or item in (float("inf"), float("-inf"))):  # noqa: PLR0124 NaN
        raise BadJson("NaN and Infinity are not JSON numbers.")
    if isinstance(item, int) and not -_TOO_LARGE < item < _TOO_LARGE:
        raise BadJson(f"A whole number has at most {MAX_DIGITS} digits.")


def _constant(_name: str) -> NoReturn:
    raise BadJson("NaN and Infinity are not JSON numbers.")


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise BadJson(too_many_digits(len(text)))
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise BadJson(f"The name {double!r:.100} stands there twice.")
    return data
