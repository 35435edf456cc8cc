"""The template process: a clean, single-threaded process that has imported the handlers and forks children on request.

`python -m workers.template SOCKET_FD PARENT_PID MODULE...`, started by children.py. On its socket it receives one byte
and a child's socket for each child wanted, and sends frames of JSON: first {"kinds", "environment"} or {"error"}, then
{"forked": pid} or {"failed": why} for each in turn, and {"ended": pid, "status": wait status} as children end.
"""

import gc
import importlib.metadata
import json
import os
import platform
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from workers import child, registry
from workers.mortal import die_with
from workers.pipes import pack


def main(arguments: Sequence[str]) -> None:
    control, parent = socket.socket(fileno=int(arguments[0])), int(arguments[1])
    die_with(parent)
    control.set_inheritable(False)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what handlers print goes to the worker's log
    try:
        kinds = registry.load(arguments[2:])
    except registry.RegistryError as error:
        _tell(control, {"error": str(error)})
        return
    _tell(control, {"kinds": [kind.announcement() for kind in kinds.values()], "environment": _environment()})
    _serve(control, kinds)


def _serve(control: socket.socket, kinds: Mapping[str, registry.Kind]) -> None:
    gc.freeze()  # children share the memory of what is imported as long as no collector touches it
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler, so that the wake-up byte is written
    signal.set_wakeup_fd(wake.fileno())
    alive: set[int] = set()
    while True:
        readable, _, _ = select.select([control, woken], [], [])
        if woken in readable:
            woken.recv(4096)
            _report_ended(control, alive)
        if control in readable:
            request, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not request:
                return  # the worker is gone
            alive.update(_fork(control, descriptors[0], kinds, [woken, wake]))


def _fork(
    control: socket.socket, descriptor: int, kinds: Mapping[str, registry.Kind], not_for_child: Sequence[socket.socket]
) -> list[int]:
    """The new child's pid, if there is one."""
    template = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:  # no memory or no process left, for now
        os.close(descriptor)
        _tell(control, {"failed": (error.strerror or str(error)).lower()})
        return []
    if pid:
        os.close(descriptor)
        _tell(control, {"forked": pid})
        return [pid]
    try:
        die_with(template)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (control, *not_for_child):
            each.close()
        child.serve(socket.socket(fileno=descriptor), kinds)
    finally:
        os._exit(0)  # never back into the template's loop


def _report_ended(control: socket.socket, alive: set[int]) -> None:
    """Asks about the children alone: the end of a process that a module started is that module's affair."""
    for child_pid in list(alive):
        pid, status = os.waitpid(child_pid, os.WNOHANG)
        if pid:
            alive.remove(pid)
            _tell(control, {"ended": pid, "status": status})


def _tell(control: socket.socket, data: dict[str, Any]) -> None:
    try:
        control.sendall(pack(json.dumps(data).encode()))
    except OSError:
        os._exit(0)  # the worker is gone


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
    main(sys.argv[1:])
