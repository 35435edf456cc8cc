"""What was printed as a terminal would show it: lines of one stream, progress bars in their last state, no colours.

Text is data from anywhere: it stays text, and whoever shows it escapes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apps.tasks.output import Parts

Line = tuple[str, str]  # stream, text up to and with its line feed


@dataclass(frozen=True, slots=True)
class Run:
    """Lines of one stream that stand together."""

    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Screen:
    """`runs`: what stays as it is, whatever follows. `open`: the last line, which the next text may go on with."""

    runs: list[Run]
    open: Run | None


def screen(parts: Parts, *, after: int = 0) -> Screen:
    """`after`: lines to leave out at the beginning."""
    lines = list(_lines(parts))
    is_open = bool(lines) and not lines[-1][1].endswith("\n")
    closed, rest = (lines[:-1], lines[-1:]) if is_open else (lines, [])
    last = next((Run(stream, _shown(text)) for stream, text in rest), None)
    return Screen(runs=_runs(closed[after:]), open=last)


def closed_lines(parts: Parts) -> int:
    """How many lines nothing can be added to any more."""
    lines = list(_lines(parts))
    return len(lines) - (bool(lines) and not lines[-1][1].endswith("\n"))


def runs(parts: Parts) -> list[Run]:
    """All of it, when nothing can follow."""
    return _runs(list(_lines(parts)))


def _lines(parts: Parts) -> Iterator[Line]:
    """A line ends with its line feed, or where the other stream goes on."""
    for stream, group in groupby(parts, itemgetter(0)):
        text = "".join(text for _, text in group).replace("\r\n", "\n")
        yield from ((stream, line) for line in _LINE.findall(text))


def _runs(lines: Sequence[Line]) -> list[Run]:
    return [Run(stream, "".join(_whole(text) for _, text in group)) for stream, group in groupby(lines, itemgetter(0))]


def _whole(line: str) -> str:
    return f"{_shown(line)}\n"


def _shown(line: str) -> str:
    """Without its line feed. Of what was overwritten from the line's start only the last state is left."""
    states = [state for state in _plain(line.rstrip("\n")).split("\r") if state]
    return states[-1] if states else ""


def _plain(text: str) -> str:
    return _CONTROL.sub("", _ANSI.sub("", text))


_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# CSI (colours, movements), OSC (titles, links) and the short ones; at the very end also one that has only begun.
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|$)|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[PX^_][^\x1b]*(?:\x1b\\|$)|[ -/]*(?:[0-~]|$))"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
