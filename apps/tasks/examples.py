"""Code to begin with, for kinds that run what a person writes: the files of `code_examples`.

The first line of each is its title.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("code_examples")
NAMES = ("value", "pi", "sde", "plot", "table")


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    title: str
    code: str


@cache
def every() -> tuple[Example, ...]:
    return tuple(_read(name) for name in NAMES)


def find(name: str) -> Example | None:
    return next((example for example in every() if example.name == name), None)


def _read(name: str) -> Example:
    code = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    return Example(name, code.partition("\n")[0].removeprefix("# "), code)
