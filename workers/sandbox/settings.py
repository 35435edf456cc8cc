"""From the worker's environment: whether code is run at all, and its limits."""

import os
import re
from collections.abc import Mapping

from workers import options
from workers.sandbox.limits import MIB, PRELOAD, PRELOADED, Limits

SWITCH = "MILLRACE_CODE"
_MOST = 1024 * 1024 * MIB
_MOST_PROCESSES = 1_000


def is_on(environment: Mapping[str, str] = os.environ) -> bool:
    """Unless told in development alone, as for the web, which asks the same variables."""
    if given := environment.get(SWITCH):
        return options.flag(SWITCH)(given)
    return environment.get("MILLRACE_ENV", "") in ("", "development")


def read(environment: Mapping[str, str] = os.environ) -> Limits:
    """A wrong value stops the process with one line; see options.refuse."""

    def size(name: str, default: str, low: int) -> int:
        return options.size(name, low * MIB, _MOST)(environment.get(name) or default)

    processes = options.whole_number("MILLRACE_SANDBOX_PROCESSES", 0, _MOST_PROCESSES)
    return Limits(
        memory=size("MILLRACE_SANDBOX_MEMORY", "2GiB", 256),  # numpy alone takes 150
        file_size=size("MILLRACE_SANDBOX_FILE_SIZE", "64MiB", 1),
        tmp=size("MILLRACE_SANDBOX_TMP", "256MiB", 1),
        processes=processes(environment.get("MILLRACE_SANDBOX_PROCESSES") or "0"),
        preload=_preload(environment.get(PRELOAD)),
    )


def _preload(text: str | None) -> tuple[str, ...]:
    """Its own default where none is given; an empty text is none at all."""
    if text is None:
        return PRELOADED
    modules = [each.strip() for each in text.split(",") if each.strip()]
    for each in modules:
        if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", each):
            options.refuse(f"{PRELOAD} must be names of modules, separated by commas (got {each!r:.60})")
    return tuple(dict.fromkeys(modules))
