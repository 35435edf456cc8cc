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
VARIABLES = (
    *("MILLRACE_VAR", "MILLRACE_PORT", "MILLRACE_ALLOWED_HOSTS", "MILLRACE_SECRET_KEY", "MILLRACE_URL"),
    *("MILLRACE_TOKEN", "MILLRACE_API_TOKEN", "MILLRACE_CONCURRENCY", "MILLRACE_HANDLERS", "MILLRACE_DEBUG"),
    *("MILLRACE_HANDLERS_FOLDER", "MILLRACE_ENV", "MILLRACE_PUBLIC_URL", "MILLRACE_TRUSTED_PROXIES"),
    *("MILLRACE_HSTS_SECONDS", "MILLRACE_ALLOW_PLAINTEXT", "MILLRACE_SILENCE", "MILLRACE_AUDIT_DAYS"),
    *("MILLRACE_MUTATIONS_PER_MINUTE", "MILLRACE_OPEN_TASKS_PER_PERSON"),
    *("MILLRACE_ARTIFACT_BYTES", "MILLRACE_ARTIFACTS_STORAGE", "MILLRACE_ARTIFACTS_OPTIONS"),
    *("MILLRACE_TASK_MEMORY", "MILLRACE_TASK_FILE_SIZE", "MILLRACE_TASK_OPEN_FILES", "MILLRACE_TASK_PROCESSES"),
    *("MILLRACE_CODE", "MILLRACE_BUBBLEWRAP", "MILLRACE_CONSUMER_TIMEOUT_SECONDS"),
    *("MILLRACE_SANDBOX_MEMORY", "MILLRACE_SANDBOX_FILE_SIZE"),
    *("MILLRACE_SANDBOX_TMP", "MILLRACE_SANDBOX_PROCESSES", "MILLRACE_SANDBOX_PRELOAD"),
    *("MILLRACE_BROWSER", "MILLRACE_TEST_DATABASE"),  # of bin/test
)
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
    parser.add_argument("--var", metavar="DIR", help="folder of all data (var/)")
    parser.add_argument("--concurrency", metavar="N", help="tasks that each worker runs at a time, 1 to 64 (1)")
    given = parser.parse_args(arguments)
    _number("WEB_CONCURRENCY", os.environ.get("WEB_CONCURRENCY") or "1", 1, 64)  # gunicorn itself would fall over it
    return Options(
        workers=_number("--workers", given.workers, 1, 64),
        port=_chosen("--port", given.port, "MILLRACE_PORT", 8000, 65535),
        var=_folder("--var", given.var) if given.var is not None else _var(),
        concurrency=_chosen("--concurrency", given.concurrency, "MILLRACE_CONCURRENCY", 1, 64),
    )


def unknown_variables() -> list[str]:
    """A sentence for each MILLRACE_* of the environment that nothing reads."""
    unknown = sorted(name for name in os.environ if name.startswith("MILLRACE_") and name not in VARIABLES)
    return [f"there is no variable {name:.40}{_meant(name, VARIABLES)}" for name in unknown]


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: str) -> None:
        super().__init__(**settings, allow_abbrev=False)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        if found := re.fullmatch(r"argument (--\w+): expected one argument", message):
            raise Stop(f"{found[1]} needs a value; bin/dev --help tells the options", code=2)
        unknown = message.removeprefix("unrecognized arguments: ").split()[0]
        if not message.startswith("unrecognized"):
            raise Stop(message, code=2)
        hint = _meant(unknown.partition("=")[0], ALL) or f"; there are {', '.join(ALL)}"
        raise Stop(f"there is no option {unknown:.40}{hint}", code=2)


def _meant(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _chosen(option: str, given: str | None, variable: str, default: int, high: int) -> int:
    """A wrong variable is refused also beside its option: the next start without the option would fall over it."""
    set_outside = _number(variable, os.environ.get(variable) or str(default), 1, high)
    return set_outside if given is None else _number(option, given, 1, high)


def _number(name: str, text: str, low: int, high: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high:
        return int(text)
    raise Stop(f"{name} must be a whole number from {low} to {high} (got {text!r:.40})", code=2)


def _var() -> Path:
    if os.environ.get("MILLRACE_VAR"):
        return _folder("MILLRACE_VAR", os.environ["MILLRACE_VAR"])
    if set(NOT_IN_FOLDER) & set(str(places.ROOT)):
        raise Stop(f"the path of this checkout has one of {NOT_IN_FOLDER} in it ({places.ROOT}); move it", code=2)
    return places.var()


def _folder(name: str, text: str) -> Path:
    with contextlib.suppress(RuntimeError):  # ~somebody who is not there
        folder = Path(text).expanduser().absolute()
        if text and text.isprintable() and not set(NOT_IN_FOLDER) & set(str(folder)):
            return folder
    raise Stop(f"{name} must name a folder, with none of {NOT_IN_FOLDER} in its path (got {text!r:.40})", code=2)
