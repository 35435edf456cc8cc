"""The options of bin/dev, read strictly: a wrong one is answered with what is accepted."""

import argparse
import contextlib
import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from devstack import places
from devstack.screen import Stop

NOT_IN_FOLDER = "'\"$`\\:"  # RabbitMQ hands its folder to a shell, in quotes, and to a list, between colons
ALL = ("--workers", "--port", "--var", "--concurrency", "--help")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    workers: int
    port: int
    var: Path
    concurrency: int


def read(arguments: Sequence[str]) -> Options:
    """Raises Stop with one line. An environment variable counts where its option is not given."""
    parser = _Parser(prog="bin/dev", description="Sets up what is missing and runs everything until Ctrl-C.")
    parser.add_argument("--workers", metavar="N", default="2", help="worker processes, 1 to 64 (2)")
    parser.add_argument("--port", metavar="P", help="on 127.0.0.1 (8000)")
    parser.add_argument("--var", metavar="DIR", default=str(places.var()), help="folder of all data (var/)")
    parser.add_argument("--concurrency", metavar="N", help="tasks that each worker runs at a time, 1 to 64 (1)")
    given = parser.parse_args(arguments)
    _number("WEB_CONCURRENCY", os.environ.get("WEB_CONCURRENCY") or "1", 1, 64)  # gunicorn itself would fall over it
    return Options(
        workers=_number("--workers", given.workers, 1, 64),
        port=_number(*_said("--port", given.port, "MILLRACE_PORT", "8000"), 1, 65535),
        var=_folder(given.var),
        concurrency=_number(*_said("--concurrency", given.concurrency, "MILLRACE_CONCURRENCY", "1"), 1, 64),
    )


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: str) -> None:
        super().__init__(**settings, allow_abbrev=False)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        if found := re.fullmatch(r"argument (--\w+): expected one argument", message):
            raise Stop(f"{found[1]} needs a value; bin/dev --help tells the options", code=2)
        unknown = message.removeprefix("unrecognized arguments: ").split()[0]
        if not message.startswith("unrecognized"):
            raise Stop(message, code=2)
        near = difflib.get_close_matches(unknown.partition("=")[0], ALL, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ALL)}"
        raise Stop(f"there is no option {unknown:.40}; {hint}", code=2)


def _said(option: str, given: str | None, variable: str, default: str) -> tuple[str, str]:
    """Where a value comes from, and its text."""
    return (variable, os.environ.get(variable) or default) if given is None else (option, given)


def _number(name: str, text: str, low: int, high: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high:
        return int(text)
    raise Stop(f"{name} must be a whole number from {low} to {high} (got {text!r:.40})", code=2)


def _folder(text: str) -> Path:
    with contextlib.suppress(RuntimeError):  # ~somebody who is not there
        folder = Path(text).expanduser().absolute()
        if text and text.isprintable() and not set(NOT_IN_FOLDER) & set(str(folder)):
            return folder
    raise Stop(f"--var must name a folder, with none of {NOT_IN_FOLDER} in its path (got {text!r:.40})", code=2)
