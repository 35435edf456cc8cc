"""The program `millrace`: reads its arguments, and turns whatever goes wrong into one line and an exit code.

0: done; 1: it did not work, or a task that was waited for has failed; 2: asked for in a way that cannot be.
"""

from __future__ import annotations

import argparse
import difflib
import io
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from millrace import __version__, commands, top
from millrace.client import ORDERS, order_field
from millrace.errors import Error, Misconfigured
from millrace.params import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EPILOG = "MILLRACE_URL says where the server is, MILLRACE_API_TOKEN (or ~/.config/millrace/token, mode 600) who asks."


def main(arguments: Sequence[str] | None = None) -> int:
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the locale has no such letter
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except (Misconfigured, Usage) as error:
        return _complain(error, 2)
    except OSError as error:
        return _complain(f"{error.filename or 'output'}: {(error.strerror or str(error)).lower()}", 1)
    except (Error, ValueError) as error:
        return _complain(error, 1)
    return code


def _open_closed() -> None:
    """`millrace list >&-`."""
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 for as long as it runs


def _complain(error: Exception | str, code: int) -> int:
    with suppress(OSError):
        sys.stdout.flush()
    commands.complain(str(error))
    return code


class _Parser(argparse.ArgumentParser):
    rewrite: Callable[[list[str]], list[str]] = list  # into what argparse understands

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuses what it does not know by itself: only it knows what may be meant."""
        given = sys.argv[1:] if args is None else list(args)
        found, unknown = super().parse_known_args(self.rewrite(given), namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            self.error(f"there is no {word:.40}{_meant(word, re.findall(r'--[a-z-]+', self.format_help()))}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        if wrong := re.match(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message = f"there is no command {wrong[1]:.40}{_meant(wrong[1], re.findall(r'[a-z]+', wrong[2]))}"
        commands.complain(f"{message} ({self.prog} --help)")
        sys.exit(2)


def _meant(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="millrace", description="Tasks of a Millrace server.", epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"millrace {__version__}")
    add = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser).add_parser
    _create(add("create", help="create tasks; prints their numbers"))
    _list(add("list", help="find tasks", description="Find tasks by the language of the search box."))
    _of_tasks(add)
    for name, run, help_ in (
        ("workers", commands.workers, "who is connected"),
        ("queues", commands.queues, "what waits where"),
    ):
        each = add(name, help=help_)
        each.set_defaults(run=run)
        _json(each)
    screen = add("top", help="a live screen of all that; printed once where it is no terminal")
    screen.set_defaults(run=top.run)
    screen.add_argument("--every", type=_seconds(0.1, 86_400), metavar="SECONDS", help="how often it is drawn anew (2)")
    _json(screen, "JSON for programs: once, with --every an object a line until Ctrl-C")
    return parser


def _create(parser: _Parser) -> None:
    parser.set_defaults(run=commands.create)
    parser.rewrite = _sorted_out
    add = parser.add_argument
    add("kind")
    add("params", nargs="*", metavar="KEY=VALUE", help="a parameter: JSON where it can be read as such, else text")
    add(
        "--json",
        action="append",
        default=[],
        metavar="[@FILE|-]",
        help="one task for each object of a JSON array, or on each line; - is stdin. "
        "By itself: print the tasks as JSON, an object a line; both may be given",
    )
    add("--name", help="as it stands in the table (the kind)")
    add("--queue", help="which (its kind's)")
    add("--priority", type=_whole(-100, 100), help="-100 to 100: the higher goes first")
    add("--delay", type=_seconds(0, 1e9), metavar="SECONDS", help="not before so many seconds have passed")
    add("--timeout", type=_seconds(0.001, 604_800), metavar="SECONDS", help="how long an attempt may run")
    add("--max-attempts", type=_whole(1, 100), metavar="N", help="how many attempts may fail")
    add("--key", help="idempotency key: asked for twice under the same, it is one task")


def _sorted_out(arguments: list[str]) -> list[str]:
    """Words beside each other: argparse refuses those after an option. `--json` takes but @FILE and - for its own."""
    options, words, left = [], [], list(arguments)
    while left and left[0] != "--":
        word = left.pop(0)
        if word == "--json" and not re.match(r"-$|@", "".join(left[:1])):
            options.append("--json=")
        elif word == "-" or not word.startswith("-"):
            words.append(word)
        else:
            has_value = "=" in word or word in ("-h", "--help")
            options += [word, *left[: not has_value]]
            del left[: not has_value]
    return [*options, *words, *left] if left else [*words, *options]


def _list(parser: _Parser) -> None:
    parser.set_defaults(run=commands.list_)
    parser.rewrite = _with_order
    parser.add_argument("query", nargs="*", help="such as status:FAILED kind:fit created:>2h")
    parser.add_argument("--limit", type=_whole(1, 10**9), default=50, metavar="N", help="how many at most (50)")
    parser.add_argument(
        "--order",
        type=_order,
        default="-created",
        help=f"{', '.join(ORDERS)}, or with a minus the largest first, such as -ran (-created)",
    )
    _json(parser)


def _with_order(arguments: list[str]) -> list[str]:
    """`--order -ran`: a minus of its own, which argparse would take for an option's."""
    joined: list[str] = []
    for word in arguments:
        if joined[-1:] == ["--order"] and re.match(r"-\w", word) and "--" not in joined:
            joined[-1] = f"--order={word}"
        else:
            joined.append(word)
    return joined


def _order(text: str) -> str:
    try:
        order_field(text)
    except Error as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _of_tasks(add: Callable[..., argparse.ArgumentParser]) -> None:
    show = add("show", help="all about a task")
    _number(show, commands.show)
    _json(show)
    wait = add("wait", help="wait until tasks have ended; prints their results")
    _number(wait, commands.wait, "+")
    wait.add_argument("--timeout", type=_seconds(0, 1e9), metavar="SECONDS", help="give up after so many seconds")
    _json(wait)
    cancel = add("cancel", help="have tasks run by nobody")
    _number(cancel, commands.cancel, "+")
    _json(cancel)
    retry = add("retry", help="have tasks that have ended tried again, or with --set new ones like them")
    _number(retry, commands.retry, "+")
    retry.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a parameter that the new ones have other",
    )
    _json(retry)
    logs = add("logs", help="what a task prints")
    _number(logs, commands.logs)
    logs.add_argument("-f", "--follow", action="store_true", help="go on until it has ended")
    logs.add_argument("--attempt", type=_whole(1, 2**31 - 1), metavar="N", help="which (the last)")
    _json(logs)


def _number(
    parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int], count: str | None = None
) -> None:
    parser.set_defaults(run=run)
    parser.add_argument("number", nargs=count, type=_whole(1, 2**63 - 1), help="the number of a task")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (re.fullmatch(r"-?[0-9]{1,19}", text) and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high} (got {text!r:.40})")
        return int(text)

    return read


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        with suppress(ValueError):
            if low <= float(text) <= high:
                return float(text)
        raise argparse.ArgumentTypeError(f"must be a number of seconds from {low} to {high:.0f} (got {text!r:.40})")

    return read


def _json(parser: argparse.ArgumentParser, help_: str = "JSON for programs, an object a line") -> None:
    parser.add_argument("--json", action="store_true", help=help_)
