"""What a person's terminal can show: how wide it is, whether in colour, which letters; and text made fit for it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from dataclasses import dataclass
from typing import Final, Self

COLOURS: Final = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "grey": "90", "bold": "1"}
OF_STATUS: Final = {
    "QUEUEING": "yellow", "RUNNING": "blue", "FINISHED": "green", "FAILED": "red", "CANCELLED": "grey",
}  # fmt: skip
# Colours stay; what moves the cursor, sets titles or talks to the terminal does not.
ORDERS: Final = re.compile(
    r"(\x1b\[[0-9;]*m)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b.?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]",
    re.DOTALL,
)
RESET: Final = "\x1b[0m"


@dataclass(frozen=True)
class Terminal:
    """`width`: None when nobody looks, as in a pipe: then nothing is cut."""

    width: int | None
    height: int
    colours: bool
    unicode: bool

    @classmethod
    def of_stdout(cls) -> Self:
        is_tty = sys.stdout.isatty()
        size = shutil.get_terminal_size((80, 24))
        dumb = os.environ.get("TERM") == "dumb"
        return cls(
            width=size.columns if is_tty or os.environ.get("COLUMNS", "").isdigit() else None,
            height=size.lines,
            colours=is_tty and not dumb and not os.environ.get("NO_COLOR"),
            unicode=_speaks_unicode(),
        )

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}{RESET}" if self.colours and colour else text

    def cut(self, text: str, width: int) -> str:
        """To so many columns, with a mark where something is missing."""
        if width_of(text) <= width:
            return text
        mark = "…" if self.unicode else "~"
        kept, used = "", 0
        for letter in text:
            if used + width_of(letter) > width - 1:
                break
            kept, used = kept + letter, used + width_of(letter)
        return (kept + mark)[: max(width, 0)]


def width_of(text: str) -> int:
    """In columns: Chinese letters take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(_columns(letter) for letter in text)


def plain(text: str) -> str:
    """On one line, without what a terminal would take as an order."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split(" ")).strip()


def harmless(text: str) -> str:
    """Of what a task has printed: its text and colours."""
    return ORDERS.sub(lambda found: found[1] or "", text)


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _speaks_unicode() -> bool:
    """By the locale: under LANG=C Python speaks UTF-8 all the same, and says so in LC_CTYPE; the terminal may not."""
    own = "LANG" if os.environ.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8") else "LC_CTYPE"
    told = next((value for name in ("LC_ALL", own, "LANG") if (value := os.environ.get(name))), "")
    return "utf" in told.lower() and "utf" in (sys.stdout.encoding or "").lower()
