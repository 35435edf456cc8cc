"""What may stand behind a field's colon: words of a list, text, numbers, durations, times; each read into a value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    Bounds = tuple[tuple[str, "float | datetime"], ...]


class Unreadable(Exception):
    """What is wrong with what was typed: a sentence that may name it and its field, `{typed}` and `{field}`."""

    def __init__(self, sentence: str, typed: str) -> None:
        super().__init__(sentence)
        self._sentence = sentence
        self._typed = typed

    def said_of(self, field: str) -> str:
        return self._sentence.format(field=field, typed=self._typed[:40])


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What words such as "yesterday" and "2h" are meant against: the database's time and the reader's zone."""

    now: datetime
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of numbers or times: every (lookup of Django, bound) must hold. `moves`: with the clock."""

    bounds: Bounds
    moves: bool = False


Value = str | Span

NAN = "nan"  # as `Task.value_text` has it

TIMES = "such as 2h (within the last two hours), >2h (longer ago), today, yesterday, 2026-03-01, >=2026-03-01T14:00"
DURATIONS = "such as >10s, <500ms, >=2min, 1h..2h"
NUMBERS = "such as 5, >3, <=0.5, 1..10, 1.."
RETURNED = f"{NUMBERS}, nan, inf, -inf"
WHOLE_NUMBERS = "such as 5, >0, <=-10, -5..5"

_OPERATORS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_COMPARED = re.compile(r"(>=|<=|>|<)?(.*)", re.DOTALL)
_AGE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|min|m|h|d|w)", re.ASCII | re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_INFINITE = re.compile(r"[+-]?(inf|infinity|∞)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d{1,19}(\.\d{1,19})?([eE][+-]?\d{1,3})?", re.ASCII)


def text(typed: str, _clock: Clock) -> str:
    return typed


def choice(words: Iterable[str]) -> Callable[[str, Clock], str]:
    """One of these words, in capitals or not."""
    known = {word.upper(): word for word in words}

    def read(typed: str, _clock: Clock) -> str:
        found = known.get(typed.upper())
        if found is None:
            raise Unreadable(f"There is no {{field}} “{{typed}}”. Known: {', '.join(known.values())}.", typed)
        return found

    return read


def number(typed: str, _clock: Clock) -> Span:
    return _compared(typed, _number, "number", NUMBERS)


def returned(typed: str, _clock: Clock) -> Value:
    """A number that code may return: also infinity, and NaN, which no comparison finds."""
    return NAN if typed.lower() == NAN else _compared(typed, _returned, "number", RETURNED)


def whole_number(typed: str, _clock: Clock) -> Span:
    return _compared(typed, lambda part: int(part) if _WHOLE.fullmatch(part) else None, "whole number", WHOLE_NUMBERS)


def duration(typed: str, _clock: Clock) -> Span:
    span = _compared(typed, _duration, "duration", DURATIONS)
    if [lookup for lookup, _ in span.bounds] == ["exact"]:
        raise Unreadable(f"“{{field}}:{{typed}}” hits hardly anything: say it with > or <, {DURATIONS}.", typed)
    return span


def times(typed: str, clock: Clock) -> Span:
    """An age counts back from now, so `>2h` is before `2h`; a day is a day in the reader's zone."""
    try:
        return _times(typed, clock)
    except (ValueError, OverflowError):
        raise Unreadable(f"“{{typed}}” is no time for “{{field}}”: {TIMES}.", typed) from None


def _times(typed: str, clock: Clock) -> Span:
    if ends := _ends(typed):
        first, last = (_stretch(part, clock) if part else None for part in ends)
        return Span((*((("gte", first[0]),) if first else ()), *((("lt", last[1]),) if last else ())))
    compared = _COMPARED.fullmatch(typed)
    operator, rest = compared.groups("") if compared else ("", typed)
    if age := _AGE.fullmatch(rest):
        then = clock.now - timedelta(seconds=float(age[1]) * _SECONDS[age[2].lower()])
        return Span((("lt" if operator in {">", ">="} else "gte", then),), moves=True)
    begin, end = _stretch(rest, clock)
    bounds: dict[str, Bounds] = {
        "": (("gte", begin), ("lt", end)),
        ">": (("gte", end),),
        ">=": (("gte", begin),),
        "<": (("lt", begin),),
        "<=": (("lt", end),),
    }
    return Span(bounds[operator], moves=rest.lower() in _DAYS_AGO)


_DAYS_AGO = {"today": 0, "yesterday": 1}


def _stretch(typed: str, clock: Clock) -> tuple[datetime, datetime]:
    """Where a day, or a moment, begins and ends. Raises ValueError or OverflowError."""
    here = clock.now.astimezone(clock.zone)
    if typed.lower() in _DAYS_AGO:
        return _day(here - timedelta(days=_DAYS_AGO[typed.lower()]))
    if _DAY.fullmatch(typed):
        return _day(datetime.fromisoformat(typed).replace(tzinfo=clock.zone))
    if not _MOMENT.fullmatch(typed):
        raise ValueError(typed)
    moment = datetime.fromisoformat(typed)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)).astimezone(UTC)
    return moment, moment + (timedelta(seconds=1) if typed.count(":") > 1 else timedelta(minutes=1))


def _day(somewhen: datetime) -> tuple[datetime, datetime]:
    begin = somewhen.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    end = (begin + timedelta(days=1)).replace(hour=0)
    return begin.astimezone(UTC), end.astimezone(UTC)


def _compared(typed: str, read: Callable[[str], float | None], what: str, forms: str) -> Span:
    if ends := _ends(typed):
        found = [(lookup, read(end)) for lookup, end in zip(("gte", "lte"), ends, strict=True) if end]
    else:
        compared = _COMPARED.fullmatch(typed)
        operator, rest = compared.groups("") if compared else ("", typed)
        found = [(_OPERATORS.get(operator, "exact"), read(rest))]
    bounds = tuple((lookup, bound) for lookup, bound in found if bound is not None)
    if len(bounds) < len(found):
        raise Unreadable(f"“{{typed}}” is no {what} for “{{field}}”: {forms}.", typed)
    return Span(bounds)


def _ends(typed: str) -> list[str]:
    """Of a range: "1..10", or open to one side, "1.." and "..10". None of anything else."""
    ends = [end.strip() for end in typed.split("..", 1)]
    return ends if len(ends) == 2 and any(ends) else []


def _number(typed: str) -> float | None:
    number = float(typed) if _NUMBER.fullmatch(typed) else None
    return number if number is not None and math.isfinite(number) else None


def _returned(typed: str) -> float | None:
    return float(typed.replace("∞", "inf")) if _INFINITE.fullmatch(typed) else _number(typed)


def _duration(typed: str) -> float | None:
    """In seconds, also when no unit stands there."""
    found = _AGE.fullmatch(typed)
    return float(found[1]) * _SECONDS[found[2].lower()] if found else _number(typed)
