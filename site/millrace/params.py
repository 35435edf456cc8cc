"""Parameters as a command line or a file of JSON gives them, read strictly: what would be lost is refused."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NO_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
_TEXT = re.compile(r"\S")


class Usage(Exception):
    """It cannot be asked for in this way."""


def of_words(words: Iterable[str]) -> dict[str, Any]:
    """Of `key=value`s. Raises Usage."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise Usage(f"a parameter looks like key=value (this is {word!r})")
        if name in found:
            raise Usage(f"{name!r:.80} is given twice: leave one of them")
        found[name] = _value(text)
    return found


def of_place(place: str) -> list[dict[str, Any]]:
    """Each of the objects in `@FILE`, or of stdin where it is `-`. Raises Usage."""
    if place != "-" and not place.startswith("@"):
        raise Usage(f"--json takes @FILE, or - for stdin, or nothing (this is {place!r})")
    try:
        text = sys.stdin.read() if place == "-" else Path(place[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise Usage(f"cannot read {place[1:]}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise Usage(f"{place.removeprefix('@')} is not text in UTF-8") from None
    found = list(_objects(text))
    if wrong := next((nth for nth, each in enumerate(found, 1) if not isinstance(each, dict)), None):
        raise Usage(f"the parameters of task {wrong} are no JSON object")
    return found


def _value(text: str) -> Any:
    """JSON where it can be read as such, else text: NaN is text, but a list with NaN would be one with text in it."""
    if text in NO_NUMBERS:
        return text
    try:
        return _DECODER.decode(text)
    except ValueError:
        return text


def _objects(text: str) -> Iterator[Any]:
    """Of one array, or one after the other."""
    at = _after_space(text, 0)
    while at < len(text):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except ValueError as error:
            raise Usage(f"this is no JSON: {error}") from None
        except Usage as error:
            line = text.count("\n", 0, at) + 1
            raise Usage(f"in the JSON that begins on line {line}, {error}") from None
        yield from value if isinstance(value, list) else [value]
        at = _after_space(text, end)


def _after_space(text: str, at: int) -> int:
    found = _TEXT.search(text, at)
    return found.start() if found else len(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Usage(f"{name!r:.80} is given twice: leave one of them")
        found[name] = value
    return found


def _no_number(text: str) -> str:
    raise Usage(f'{text} is no number that JSON has: leave it out, or give null, or "{text}" as text')


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Usage(f'{text:.40} is too large for a number: give a smaller one, or "{text:.40}" as text')
    return number


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
