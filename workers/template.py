"""The template process: a clean, single-threaded process that has imported the handlers and forks children on request.

`python -m workers.template SOCKET_FD PARENT_PID MODULE...`, started by children.py. On its socket it receives one byte
and three descriptors for each child wanted: its socket, stdout and stderr. It sends frames of JSON: first {"kinds",
"environment", "folder"} or {"error"}, then {"forked": pid} or {"failed": why} for each in turn, and {"ended": pid,
"status": wait status} as children end, with everything below them.
"""

import contextlib
import errno
import gc
import importlib.metadata
import json
import os
import platform
import resource
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from workers import child, registry, scratch
from workers.brood import Brood
from workers.mortal import die_with, outlive_parent
from workers.pipes import pack
from workers.streams import Streams, print_lines_from_c

DESCRIPTORS = 3  # that come with a request


class WorkerGone(Exception):
    """Its end of the socket is closed."""


def main(arguments: Sequence[str]) -> None:
    control, parent = socket.socket(fileno=int(arguments[0])), int(arguments[1])
    die_with(parent)
    control.set_inheritable(False)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what modules print goes to the worker's log
    print_lines_from_c()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        kinds = registry.load(arguments[2:])
        folder = scratch.make()
    except (registry.RegistryError, OSError) as error:
        _tell(control, {"error": str(error)})
        return
    announced = [kind.announcement() for kind in kinds.values()]
    _tell(control, {"kinds": announced, "environment": _environment(), "folder": str(folder)})
    _serve(control, kinds, Brood(folder))


def _serve(control: socket.socket, kinds: Mapping[str, registry.Kind], brood: Brood) -> None:
    gc.freeze()  # children share the memory of what is imported as long as no collector touches it
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    for each in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(each, lambda *_: None)  # a handler, so that the wake-up byte is written
    signal.set_wakeup_fd(wake.fileno())
    outlive_parent()  # long enough to end what is below the children
    try:
        while True:
            readable, _, _ = select.select([control, woken], [], [])
            if woken in readable:
                woken.recv(4096)
                for pid, status in brood.ended():
                    _tell(control, {"ended": pid, "status": status})
            if control in readable:
                _fork(control, kinds, brood, [woken, wake])
    except WorkerGone:
        brood.end()
    finally:
        signal.set_wakeup_fd(-1)  # before the pair is closed: signals still come


def _fork(
    control: socket.socket,
    kinds: Mapping[str, registry.Kind],
    brood: Brood,
    not_for_child: Sequence[socket.socket],
) -> None:
    try:
        request, descriptors, _, _ = socket.recv_fds(control, 1, DESCRIPTORS)
    except ConnectionError:  # it was killed before it had read all that it was told
        raise WorkerGone from None
    if not request:
        raise WorkerGone

    def run() -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (control, *not_for_child):
            each.close()
        child.serve(socket.socket(fileno=descriptors[0]), Streams(descriptors[1:]), kinds)

    try:
        if len(descriptors) < DESCRIPTORS:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))  # noqa: TRY301  the system left it out
        answer: dict[str, Any] = {"forked": brood.fork(run)}
    except OSError as error:
        answer = {"failed": (error.strerror or str(error)).lower()}
    for each in descriptors:
        os.close(each)
    _tell(control, answer)


def _tell(control: socket.socket, data: dict[str, Any]) -> None:
    try:
        control.sendall(pack(json.dumps(data).encode()))
    except OSError:
        raise WorkerGone from None


def _environment() -> dict[str, Any]:
    # What an interrupted uninstall leaves behind has neither.
    installed = {each.name: each.version for each in importlib.metadata.distributions() if each.name and each.version}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": dict(sorted(installed.items())),
    }


if __name__ == "__main__":
    with contextlib.suppress(WorkerGone):
        main(sys.argv[1:])
