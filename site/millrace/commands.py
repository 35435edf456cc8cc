"""What the program's commands do: each asks the client and prints, and answers its exit code."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from millrace import views
from millrace.client import Client, Options
from millrace.errors import Error
from millrace.params import Usage, of_place, of_words
from millrace.tables import lines
from millrace.terminal import RESET, Terminal, harmless, plain
from millrace.waiting import wait as wait_for

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable

    from millrace.tasks import Task


SHORT = 1.0


def create(options: Namespace) -> int:
    if options.json and (wrong := next((word for word in options.params if "=" not in word), None)):
        raise Usage(f"--json takes @FILE, or - for stdin, or nothing (this is {wrong!r})")
    common = of_words(options.params)
    how = Options(
        name=options.name,
        queue=options.queue,
        priority=options.priority,
        delay_seconds=options.delay,
        timeout_seconds=options.timeout,
        max_attempts=options.max_attempts,
        idempotency_key=options.key,
    )
    places = [place for place in options.json if place]
    shown = _as_json if "" in options.json else _as_numbers
    with Client() as client:
        if places:
            each = [{**common, **params} for place in places for params in of_place(place)]
            tasks = _create_many(client, options.kind, each, how, shown)
        else:
            tasks = [client.create(options.kind, how, **common)]
    _print(shown(tasks))
    return 0


def list_(options: Namespace) -> int:
    with looking() as client:
        found = islice(client.tasks(" ".join(options.query), order=options.order), max(options.limit, 0))
        if options.json:
            for task in found:
                _print_json(views.of_task(task))
        else:
            _table(lines(views.OF_TASKS, [views.task_row(task) for task in found], _terminal()))
    return 0


def show(options: Namespace) -> int:
    with looking() as client:
        data = views.of_task(client.task(options.number), whole=True)
    if options.json:
        _print_json(data)
        return 0
    error, waiting = data.pop("error"), data.pop("waiting")
    if waiting and waiting["position"]:
        data["position"] = f"{waiting['position']:,} in its queue"
    if waiting and waiting["estimated_start"]:
        data["starts"] = f"about {waiting['estimated_start']:%Y-%m-%d %H:%M:%S} UTC"
    traceback = error and error["traceback"]
    width = max(map(len, data))
    for name, value in data.items():
        if value is not None:
            _print(f"{name:<{width}}  {plain(value if isinstance(value, str) else _readable(value))}\n")
    if traceback:
        _print(f"\n{harmless(traceback).rstrip()}\n")
    return 0


def wait(options: Namespace) -> int:
    with Client() as client:
        tasks = wait_for(client.several(options.number), options.timeout)
    for task in tasks:
        if options.json:
            _print_json(views.of_task(task, whole=True))
        elif task.status == "FINISHED":
            _print_json(task.result)
        if task.status != "FINISHED":
            complain(task.failure or f"task {task.number} was cancelled")
    return 0 if all(task.status == "FINISHED" for task in tasks) else 1


def cancel(options: Namespace) -> int:
    return _each(options, lambda task: task.cancel())


def retry(options: Namespace) -> int:
    changed = of_words(options.set)
    return _each(options, lambda task: task.again(**changed) if changed else task.retry())


def logs(options: Namespace) -> int:
    """What it printed on stderr goes to stderr, unless as JSON."""
    clean = harmless if sys.stdout.isatty() else str
    with Client() as client:
        task = client.task(options.number)
        for piece in task.follow(options.attempt) if options.follow else task.pieces(options.attempt):
            if options.json:
                _print_json(asdict(piece))
                continue
            stream = sys.stdout if piece.stream == "stdout" else sys.stderr
            if piece.begins_anew:
                complain(f"it begins anew, with attempt {piece.attempt}", "note")
            if piece.left_out:
                complain(f"{piece.left_out:,} bytes left out here", "note")
            stream.write(clean(piece.text))
            stream.flush()
    if sys.stdout.isatty() and not options.json:
        _print(RESET)
    return 0


def workers(options: Namespace) -> int:
    with looking() as client:
        found = client.workers()
    if options.json:
        _print("".join(views.written(asdict(each)) + "\n" for each in found))
    else:
        _table(lines(views.OF_WORKERS, [views.worker_row(each) for each in found], _terminal()))
    return 0


def queues(options: Namespace) -> int:
    with looking() as client:
        found = client.queues()
    if options.json:
        _print("".join(views.written(asdict(each)) + "\n" for each in found))
    else:
        _table(lines(views.OF_QUEUES, [views.queue_row(each) for each in found], _terminal()))
    return 0


def looking() -> Client:
    """For who waits for the answer: it does not hope for long that the server comes back."""
    return Client(patience=SHORT)


def complain(sentence: str, kind: str = "error") -> None:
    """On stderr, in one line."""
    with suppress(OSError):
        sys.stderr.write(f"{kind}: {plain(sentence)}\n")
        sys.stderr.flush()


def _create_many(
    client: Client, kind: str, params: list[dict[str, Any]], how: Options, shown: Callable[[Iterable[Task]], str]
) -> list[Task]:
    try:
        return client.create_many(kind, params, how)
    except BaseException as error:  # Ctrl-C too
        _print(shown(getattr(error, "created", ())))
        raise


def _as_numbers(tasks: Iterable[Task]) -> str:
    return "".join(f"{task.number}\n" for task in tasks)


def _as_json(tasks: Iterable[Task]) -> str:
    return "".join(views.written(views.of_task(task)) + "\n" for task in tasks)


def _each(options: Namespace, act: Callable[[Task], Task]) -> int:
    code = 0
    with Client() as client:
        for number in options.number:
            told: dict[str, Any] = {"number": number, "done": False, "error": None, "task": None}
            try:
                task = act(client.task(number))
            except Error as error:
                complain(str(error))
                told["error"] = str(error)
                code = 1
            else:
                told |= {"done": True, "task": views.of_task(task)}
                if not options.json:
                    _print(f"{task.number} {task.status}\n")
            if options.json:
                _print_json(told)
    return code


def _readable(value: Any) -> str:
    return value if isinstance(value, str) else views.written(value).strip('"')


def _table(shown: list[str]) -> None:
    _print("".join(f"{line}\n" for line in shown))


def _terminal() -> Terminal:
    return Terminal.of_stdout()


def _print_json(data: Any) -> None:
    _print(views.written(data) + "\n")


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
