"""A Python traceback as its reader needs it: their own frames in full, runs of library frames folded away."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE_FILE = "<code>"  # what a person wrote into the form
LINES_BEFORE, LINES_AFTER = 5, 3


@dataclass(frozen=True, slots=True)
class Part:
    """Some text of the traceback. `frames` of a `library` when it is folded away; else the reader's own, or words."""

    text: str
    frames: int = 0
    library: str = ""

    @property
    def is_own(self) -> bool:
        return bool(self.frames) and not self.library


@dataclass(frozen=True, slots=True)
class CodeLine:
    number: int
    text: str
    is_faulty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where in a person's code it went wrong."""

    number: int
    lines: list[CodeLine]  # the faulty one and those around it
    is_cut: bool  # whether there are others


def parts(traceback: str) -> list[Part]:
    """Together they are the whole text. A text that is no traceback is one part."""
    return [part for _, group in groupby(_pieces(traceback), _sort) for part in _joined(list(group))]


def fault(code: str, traceback: str) -> Fault | None:
    """None when no frame of the traceback is in the code."""
    numbers = [int(number) for file, number in _FRAME_HEAD.findall(traceback) if file == CODE_FILE]
    lines = code.split("\n")  # Python counts no other ends
    if not numbers or not 1 <= numbers[-1] <= len(lines):
        return None
    number = numbers[-1]
    first, last = max(number - LINES_BEFORE, 1), min(number + LINES_AFTER, len(lines))
    around = [CodeLine(at, lines[at - 1], at == number) for at in range(first, last + 1)]
    return Fault(number=number, lines=around, is_cut=len(around) < len(lines))


def library_of(file: str) -> str:
    """The package that a file belongs to: "numpy", or "Python" for what comes with it; "" for a person's own."""
    if file == CODE_FILE:
        return ""
    if found := _INSTALLED.search(file):
        return found[1].removesuffix(".py")
    return "Python" if file.startswith("<frozen ") or _STANDARD.search(file) else ""


def _pieces(traceback: str) -> Iterator[Part]:
    """Frame by frame, and what stands between them."""
    at = 0
    for frame in _FRAME.finditer(traceback):
        if frame.start() > at:
            yield Part(traceback[at : frame.start()])
        yield Part(frame[0], 1, library_of(frame["file"]))
        at = frame.end()
    if at < len(traceback):
        yield Part(traceback[at:])


def _sort(part: Part) -> tuple[bool, bool]:
    return bool(part.frames), bool(part.library)


def _joined(group: list[Part]) -> Iterator[Part]:
    """Library frames that follow each other as one, named for those with the most of them."""
    if not group[0].library:
        yield from group
        return
    text = "".join(part.text for part in group)
    names = [name for name, _ in Counter(part.library for part in group).most_common()]
    name = names[0] if len(names) == 1 else f"{', '.join(names[:2])}{' and others' if len(names) > 2 else ''}"
    yield Part(text, len(group), name)


_FRAME_HEAD = re.compile(r'^ *(?:[|+] *)*File "([^"\n]*)", line (\d+)', re.MULTILINE)
# Its lines are indented deeper than its head.
_FRAME = re.compile(
    r'^(?P<indent> *(?:[|+] *)*)File "(?P<file>[^"\n]*)", line \d+, in [^\n]*(?:\n|$)(?:(?P=indent)  [^\n]*(?:\n|$))*',
    re.MULTILINE,
)
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]([^/\\]+)")
_STANDARD = re.compile(r"[/\\]lib(?:64)?[/\\]python\d[\d.]*[/\\]|[/\\]python\d+\.zip[/\\]")
