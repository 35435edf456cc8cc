"""The search language: what stands in the box, as a typed query or as the mistake in it.

    status:FAILED kind:fit,sim -name:"dry run" created:>2h ran:>10s free words

Terms stand side by side: all must hold. Commas within a field: any of them. A minus before a term: not. What has no
field is part of the name, or the number. Capital and small letters are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from apps.tasks import search_values as values
from apps.tasks.lifecycle import Reason, Status
from apps.tasks.search_values import Clock, Span, Unreadable
from workers.messages import storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from apps.tasks.search_values import Value

LONGEST = 1_000
MOST_TERMS = 20
MOST_VALUES = 50
WORD: Final = ""  # the field of a term that names none
ME: Final = "me"  # whoever asks, as long as nobody bears the name


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """How a field's values are read, and what it finds, for who asks."""

    read: Callable[[str, Clock], Value]
    help: str


FIELDS: Final = {
    "status": Field(read=values.choice(Status.values), help=", ".join(Status.values)),
    "kind": Field(read=values.text, help="a kind, or part of its name"),
    "name": Field(read=values.text, help="part of the name"),
    "queue": Field(read=values.text, help="their queue"),
    "priority": Field(read=values.whole_number, help=f"their priority, {values.WHOLE_NUMBERS}"),
    "worker": Field(read=values.text, help="part of the name of the worker that ran them last"),
    "error": Field(read=values.text, help="part of the error of failed ones, or its reason"),
    "reason": Field(read=values.choice(Reason.values), help=", ".join(Reason.values)),
    "created": Field(read=values.times, help=f"when, {values.TIMES}"),
    "started": Field(read=values.times, help="when, as with created"),
    "finished": Field(read=values.times, help="when, as with created"),
    "ran": Field(read=values.duration, help=f"how long, {values.DURATIONS}"),
    "value": Field(read=values.returned, help=f"the number they returned, {values.RETURNED}"),
    "number": Field(read=values.number, help=f"their number, {values.NUMBERS}"),
    "by": Field(read=values.text, help="who created them, such as me"),
}
ALSO_CALLED: Final = {"id": "number"}  # as the head of the column says
STAYING: Final = frozenset({WORD, "kind", "name", "queue", "created", "number", "by"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One demand; it stands at `start` to `end` of the text."""

    field: str
    values: tuple[Value, ...]
    negated: bool
    start: int
    end: int

    @property
    def words(self) -> list[str]:
        return [value for value in self.values if isinstance(value, str)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What was understood of `text`."""

    text: str
    terms: tuple[Term, ...]

    def of(self, field: str) -> list[Term]:
        return [term for term in self.terms if term.field == field]

    @property
    def moves(self) -> bool:
        """Whether it means something else as time passes."""
        return any(isinstance(value, Span) and value.moves for term in self.terms for value in term.values)

    @property
    def depends_on_who_asks(self) -> bool:
        return any(word.lower() == ME for term in self.of("by") for word in term.words)

    @property
    def asks_how_it_stands(self) -> bool:
        """Whether a task that matches may cease to as its work goes on, and another come to match."""
        return any(term.field not in STAYING for term in self.terms)

    def asking(self, field: str, value: str | None) -> str:
        """The text with this as the field's only demand, in front; with none at all for None."""
        rest = self.text
        for term in reversed(self.of(field)):
            rest = f"{rest[: term.start].rstrip()} {rest[term.end :].lstrip()}"
        return " ".join(filter(None, (written(field, value) if value else "", rest.strip())))


NOTHING: Final = Query(text="", terms=())


class Mistake(Exception):
    """What cannot be understood at `start` to `end` of the text, as a sentence with what would be."""

    def __init__(self, sentence: str, start: int = 0, end: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.start = start
        self.end = end


def parse(text: str, clock: Clock) -> Query:
    """Raises Mistake."""
    if len(text) > LONGEST:
        raise Mistake(f"A search may have at most {LONGEST:,} characters (this has {len(text):,}).")
    if not storable(text):
        raise Mistake("There is a character in the search that no text can have.")
    terms = tuple(_terms(text, clock))
    if len(terms) > MOST_TERMS:
        raise Mistake(f"A search may have at most {MOST_TERMS} terms (this has {len(terms)}).", terms[MOST_TERMS].start)
    return Query(text=text.strip(), terms=terms if text == text.strip() else tuple(_terms(text.strip(), clock)))


def written(field: str, *wanted: str) -> str:
    """The term that asks for any of these, to be parsed again."""
    return f"{field}:{','.join(quoted(value) for value in wanted)}" if field else quoted(wanted[0])


_PLAIN = re.compile(r'[^\s",:\\-][^\s",:\\]*')
_BLANK = re.compile(r"\s*")
_HEAD = re.compile(r"(-?)(?:([^\W\d]\w*):)?")
_BARE = re.compile(r"[^\s,]+")
_BARE_WORD = re.compile(r"\S+")
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?(?!\S)", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def quoted(value: str) -> str:
    """As it stands for itself in a search."""
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _terms(text: str, clock: Clock) -> Iterator[Term]:
    at = _skip(text, 0)
    while at < len(text):
        term = _term(text, at, clock)
        yield term
        at = _skip(text, term.end)
        if FIELDS[term.field or "name"].read is values.times and (time := _TIME.match(text, at)):
            day = text[: term.end].rpartition(":")[2]
            raise Mistake(
                f"For a time of that day put a T between, without a blank: {day:.40}T{time[0]}.", at, time.end()
            )


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _term(text: str, start: int, clock: Clock) -> Term:
    head = _HEAD.match(text, start)
    minus, field = (head[1], (head[2] or WORD).lower()) if head else ("", WORD)
    field = ALSO_CALLED.get(field, field)
    at = head.end() if head else start
    if field and field not in FIELDS:
        raise Mistake(_no_field(text, start, head[2] if head else ""), start, at)
    typed, end = _values(text, at, field)
    if not typed[0] and not field:  # a minus alone, or two quotation marks with nothing between
        raise Mistake("Something to search for is missing here.", start, end)
    read = FIELDS[field].read if field else values.text
    try:
        found = tuple(read(value, clock) for value in typed)
    except Unreadable as why:
        raise Mistake(why.said_of(field), start, end) from None
    return Term(field=field, values=found, negated=bool(minus), start=start, end=end)


def _values(text: str, at: int, field: str) -> tuple[list[str], int]:
    found: list[str] = []
    while True:
        value, at = _value(text, at, field)
        found.append(value)
        if len(found) > MOST_VALUES:
            raise Mistake(f"“{field}:” may be asked for at most {MOST_VALUES} values.", at, at)
        if not (field and text[at : at + 1] == ","):
            return found, at
        at += 1


def _value(text: str, at: int, field: str) -> tuple[str, int]:
    if text[at : at + 1] == '"':
        if not (quoted := _QUOTED.match(text, at)):
            raise Mistake("The quotation mark here is not closed.", at, len(text))
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), quoted.end()
    bare = (_BARE if field else _BARE_WORD).match(text, at)
    if bare:
        if bare[0].startswith("'"):
            example = written(field, "dry run")
            raise Mistake(f"Here texts stand in double quotation marks, such as {example}.", at, bare.end())
        return bare[0], bare.end()
    if field:
        raise Mistake(f"“{field}:” needs a value: {FIELDS[field].help}.", at, at)
    return "", at


def _no_field(text: str, start: int, field: str) -> str:
    word = _BARE_WORD.match(text, start)
    as_text = quoted(word[0].removeprefix("-")) if word else ""
    return (
        f"There is no field “{field:.40}”. Known: {', '.join(FIELDS)}."
        f" To search names for it, put it in quotation marks: {as_text:.60}."
    )
