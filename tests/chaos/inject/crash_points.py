"""Places in the product's own code at which a process can be made to kill itself: the n-th passage after arming.

A point is armed by the file `crash-at` in the stack's folder, with `<point> <n> <anything new>` in it. The process that
passes the point for the n-th time renames the file to `crashed-at`, which only one can do, and is gone. So it happens
once, and the file tells that it has.
"""

import asyncio
import contextlib
import functools
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Patch = Callable[[ModuleType], None]
ARMED, HIT = "crash-at", "crashed-at"


@dataclass(frozen=True, slots=True)
class Point:
    """A call in one role's processes. "sent": after it, when also the event loop has written what it has to write.

    `counts` looks at the call's arguments: whether it is one that the point is about.
    """

    role: str
    module: str
    attribute: str
    when: str  # before, after, sent
    counts: Callable[..., bool] = lambda *args, **kwargs: True


def _some(*args: Any) -> bool:
    """The last argument is not empty."""
    return bool(args[-1])


def _with_events(batches: Any) -> bool:
    return any(batch.get("events") for batch in batches)


def _has(*words: bytes) -> Callable[..., bool]:
    return lambda *args, **kwargs: any(word in found for word in words for found in _bytes_in(args))


def _bytes_in(args: Iterable[Any]) -> Iterable[bytes]:
    for each in args:
        if isinstance(each, bytes | bytearray):
            yield bytes(each)
        elif isinstance(each, list):
            yield from _bytes_in(body for body in each)
        elif isinstance(body := getattr(each, "body", None), bytes):
            yield body


TASK, STARTED, OUTCOME = b'"kind":', b'"type":"STARTED"', b'"type":"OUTCOME"'
_PUBLISHED = ("workers.publisher", "Publisher.publish", "after")
_EMITTED = ("workers.broker", "Connection.emit", "sent")

POINTS: dict[str, list[Point]] = {
    "web.after_commit": [
        Point("web", "apps.tasks.services", "create", "after"),
        Point("web", "apps.tasks.services", "create_many", "after"),
    ],
    "relay.after_publish": [Point("relay", *_EMITTED, _has(TASK))],
    "relay.after_confirm": [Point("relay", *_PUBLISHED, _has(TASK))],
    "relay.before_mark": [Point("relay", "apps.relay.schedule", "mark_handed_over", "before")],
    "worker.after_receive": [Point("worker", "workers.consumer", "Consumer._take", "after")],
    "worker.after_start_event": [Point("worker", *_PUBLISHED, _has(STARTED))],
    "worker.after_run": [Point("worker", "workers.reporter", "Reporter.outcome", "before")],
    "worker.after_outcome_publish": [Point("worker", *_EMITTED, _has(OUTCOME))],
    "worker.after_outcome_confirm": [Point("worker", *_PUBLISHED, _has(OUTCOME))],
    "worker.before_ack": [Point("worker", "workers.consumer", "Consumer.settle", "before", _some)],
    "sink.after_receive": [Point("sink", "sink.consumer", "Consumer._take", "after")],
    "sink.after_http_send": [Point("sink", "workers.posting", "Line.send", "after", _has(OUTCOME))],
    "sink.after_http_ok": [Point("sink", "sink.client", "Client.record", "after", _has(OUTCOME))],
    "sink.before_ack": [Point("sink", "workers.settling", "Settling.ack", "before", _some)],
    "worker.after_chunk_confirm": [Point("worker", "workers.courier", "Courier.deliver", "after")],
    "sink.before_chunk": [Point("sink", "sink.artifacts", "Artifacts._bring", "before")],
    "sink.after_chunk": [Point("sink", "sink.artifacts", "Artifacts._send", "after")],
    "web.after_chunk": [Point("web", "apps.tasks.artifacts", "_store", "after")],
    "web.before_artifact": [Point("web", "apps.tasks.artifacts", "_keep", "before")],
    "web.after_artifact": [Point("web", "apps.tasks.artifacts", "_keep", "after")],
    "mutation.before_commit": [
        Point("web", "apps.tasks.standings", "Page.write", "after", lambda page: bool(page.standings))
    ],
    "mutation.after_commit": [Point("web", "apps.tasks.recording", "record", "after", _with_events)],
}


def arm(folder: str, point: str, nth: int, token: object) -> None:
    """`token` has not been there before."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(f"{folder}/{HIT}")  # noqa: PTH107
    with open(f"{folder}/{ARMED}.new", "w") as file:  # noqa: PTH123
        file.write(f"{point} {nth} {token}")
    os.rename(f"{folder}/{ARMED}.new", f"{folder}/{ARMED}")  # noqa: PTH104


def has_crashed(folder: str) -> bool:
    return os.path.exists(f"{folder}/{HIT}")  # noqa: PTH110


def patches(role: str) -> dict[str, list[Patch]]:
    """What to do to which module of a process of this role."""
    found: dict[str, list[Patch]] = {}
    for name, points in POINTS.items():
        for point in points:
            if point.role == role:
                found.setdefault(point.module, []).append(functools.partial(_patch, name, point))
    return found


def _patch(name: str, point: Point, module: ModuleType) -> None:
    *path, last = point.attribute.split(".")
    owner: Any = functools.reduce(getattr, path, module)
    setattr(owner, last, _wrapped(name, point, getattr(owner, last)))


def _wrapped(name: str, point: Point, function: Callable[..., Any]) -> Callable[..., Any]:
    def before(args: Any, kwargs: Any) -> None:
        if point.when == "before" and point.counts(*args, *kwargs.values()):
            passed(name)

    def after(args: Any, kwargs: Any) -> None:
        if point.when == "after" and point.counts(*args, *kwargs.values()):
            passed(name)
        if point.when == "sent" and point.counts(*args, *kwargs.values()):
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, passed, name)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        before(args, kwargs)
        answer = function(*args, **kwargs)
        after(args, kwargs)
        return answer

    @functools.wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        before(args, kwargs)
        answer = await function(*args, **kwargs)
        after(args, kwargs)
        return answer

    return call_async if asyncio.iscoroutinefunction(function) else call


_passages: dict[str, int] = {}


def passed(name: str) -> None:
    """Ends the process when this is the passage that is waited for."""
    armed = f"{os.environ['CHAOS_FOLDER']}/{ARMED}"
    try:
        with open(armed) as file:  # noqa: PTH123 at every passage
            what = file.read()
        point, nth, _ = what.split()
    except (OSError, ValueError):
        return
    if point != name:
        return
    _passages[what] = _passages.get(what, 0) + 1
    if _passages[what] == int(nth):
        try:
            os.rename(armed, f"{os.environ['CHAOS_FOLDER']}/{HIT}")  # noqa: PTH104
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
