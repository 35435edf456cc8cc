"""Notes when a traced process comes by one of POINTS; Python imports this by itself from PYTHONPATH.

A line each, in a file of the process's own in BENCHMARK_TRACE: nanoseconds that all processes share, and a label.
"""

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import time
from types import ModuleType
from typing import Any

FOLDER = os.environ.get("BENCHMARK_TRACE", "")
# Module -> (function, label when it begins, label when it has returned); None: that is not noted.
POINTS: dict[str, list[tuple[str, str | None, str | None]]] = {
    "django.core.handlers.wsgi": [("WSGIHandler.__call__", "request", None)],
    "apps.tasks.services": [("create", "checked in", "saved")],
    "apps.relay.rounds": [("Relay._look", None, "read"), ("Relay._mark", None, "marked")],
    "workers.consumer": [("Consumer._take", "delivered", None)],
    "workers.child": [("execute", "begun", "ran")],
    "workers.reporter": [("Reporter._flush", "told", None)],
    "sink.consumer": [("Consumer._take", "heard", None)],
    "apps.tasks.recording": [("record", "recording", "recorded")],
}


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, _target: ModuleType | None = None) -> Any:
        points = POINTS.pop(name, None)
        spec = importlib.machinery.PathFinder.find_spec(name, path) if points else None
        if not (points and spec and spec.loader):
            return None
        load = spec.loader.exec_module

        def load_and_wrap(module: ModuleType) -> None:
            load(module)
            for where, *labels in points:
                _wrap(module, where, *labels)

        spec.loader.exec_module = load_and_wrap  # type: ignore[method-assign]
        return spec


def _wrap(module: ModuleType, where: str, before: str | None, after: str | None) -> None:
    *owner, name = where.split(".")
    place: Any = getattr(module, owner[0]) if owner else module
    function = getattr(place, name)

    async def noted_later(*args: Any, **kwargs: Any) -> Any:
        _note(before)
        try:
            return await function(*args, **kwargs)
        finally:
            _note(after)

    def noted(*args: Any, **kwargs: Any) -> Any:
        _note(before)
        try:
            return function(*args, **kwargs)
        finally:
            _note(after)

    chosen = noted_later if inspect.iscoroutinefunction(function) else noted
    setattr(place, name, functools.wraps(function)(chosen))


_open: dict[int, int] = {}


def _note(label: str | None) -> None:
    if label is None:
        return
    pid = os.getpid()
    if pid not in _open:
        _open[pid] = os.open(f"{FOLDER}/{pid}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(_open[pid], f"{time.monotonic_ns()} {label}\n".encode())


if FOLDER:
    sys.meta_path.insert(0, Finder())
