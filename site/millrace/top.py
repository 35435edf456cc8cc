"""`millrace top`: a screen of queues, workers and tasks that is drawn anew in its place until Ctrl-C."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from millrace import views
from millrace.commands import complain, looking
from millrace.errors import Error
from millrace.tables import lines
from millrace.terminal import OF_STATUS, Terminal, plain

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from millrace.client import Client, Overview

# Another page of the terminal, without a cursor; and back, so that what stood there stands there again.
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, END_OF_LINE, END_OF_PAGE = "\x1b[H", "\x1b[K", "\x1b[J"
SHORTEST_SECONDS = 0.2
USUAL_SECONDS = 2.0


def run(options: Namespace) -> int:
    with looking() as client:
        if options.json:
            return _write(client, options.every)
        if not sys.stdout.isatty():
            sys.stdout.write(
                "".join(f"{line}\n" for line in screen(client.overview(), client.url, Terminal.of_stdout()))
            )
            return 0
        with _page():
            try:
                _draw(client, max(options.every or USUAL_SECONDS, SHORTEST_SECONDS))
            except KeyboardInterrupt:
                return 0
    return 0


def screen(told: Overview, url: str, terminal: Terminal) -> list[str]:
    """What the server has told, as lines."""
    shown = [_head(told, url, terminal), _counts(told, terminal)]
    shown += ["", *lines(views.OF_QUEUES, [views.queue_row(each) for each in told.queues], terminal)]
    for title, tasks in (("Running", told.running), ("Failed", told.failed)):
        if tasks:
            rows = [views.task_row(each) for each in tasks]
            shown += ["", terminal.paint(title, "bold"), *lines(views.OF_TASKS, rows, terminal)[1:]]
    return shown


def _write(client: Client, every: float | None) -> int:
    """As JSON, once or for ever. When the server is away it goes on when that is back."""
    if every is None:
        _print(client.overview())
        return 0
    with suppress(KeyboardInterrupt):
        while True:
            try:
                _print(client.overview())
            except Error as error:
                complain(str(error))
            time.sleep(every)
    return 0


def _print(told: Overview) -> None:
    sys.stdout.write(views.written(views.of_overview(told)) + "\n")
    sys.stdout.flush()


def _draw(client: Client, every: float) -> None:
    """For ever. When the server is away what was told last stays, with the reason."""
    shown: list[str] = []
    while True:
        terminal = Terminal.of_stdout()
        trouble = ""
        try:
            shown = screen(client.overview(), client.url, terminal)
        except Error as error:
            trouble = terminal.paint(terminal.cut(plain(f"error: {error}"), terminal.width or 80), "red")
        page = [*([trouble] if trouble else []), *shown][: terminal.height]
        sys.stdout.write(HOME + "\n".join(line + END_OF_LINE for line in page) + END_OF_PAGE)
        sys.stdout.flush()
        time.sleep(every)


def _head(told: Overview, url: str, terminal: Terminal) -> str:
    alive = [each for each in told.workers if each.alive]
    slots = sum(each.concurrency for each in alive)
    runs = sum(queue.running for queue in told.queues)  # everybody's, of which one may not see all
    at = datetime.now().astimezone().strftime("%H:%M:%S")
    text = f"{at}  {_count(len(alive), 'worker')}, {_count(slots, 'slot')}, {_count(runs, 'task')} running  {url}"
    return terminal.cut(text, terminal.width or len(text))


def _counts(told: Overview, terminal: Terminal) -> str:
    counts = told.counts
    more = "" if counts.exact else "+"
    parts = [(status, f"{status.lower()} {getattr(counts, status.lower()):,}{more}") for status in OF_STATUS]
    room = terminal.width or 1_000
    shown = []
    for status, text in parts:
        room -= len(text) + 2
        if room >= -2:
            shown.append(terminal.paint(text, OF_STATUS[status]))
    return "  ".join(shown)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@contextmanager
def _page() -> Iterator[None]:
    sys.stdout.write(ENTER)
    try:
        yield
    finally:
        sys.stdout.write(LEAVE)
        sys.stdout.flush()
