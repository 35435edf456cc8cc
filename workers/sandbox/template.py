"""The sandbox's template: a clean process that forks confined ones, which run one task of `code.python` each.

`python -P -m workers.sandbox.template SOCKET_FD PLAN`, as command.py says. It speaks on its socket as workers.template
does: for each child wanted it receives one byte with the child's socket and the write ends of its stdout and stderr.
"""

import contextlib
import errno
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workers import scratch
from workers.pipes import pack
from workers.sandbox import task
from workers.sandbox.kind import announcement
from workers.sandbox.limits import PRELOAD, PRELOADED
from workers.sandbox.plan import Plan
from workers.sandbox.user import leave_root
from workers.sandbox.wards import Wards


class WorkerGone(Exception):
    """Its end of the socket is closed."""


def main(arguments: Sequence[str]) -> None:
    control, plan = socket.socket(fileno=int(arguments[0])), Plan.decode(arguments[1])
    control.set_inheritable(False)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        leave_root(in_view=plan.in_view)
        parent = os.pidfd_open(os.getppid())  # a death signal does not reach another user's process
        folder = "" if plan.namespaces else str(scratch.make())
    except OSError as error:
        _tell(control, {"error": f"the sandbox cannot be made: {(error.strerror or str(error)).lower()}"})
        return
    _preload(plan.limits.preload)
    outside = "" if plan.in_view else folder
    _tell(control, {"kinds": [announcement()], "environment": {}, "folder": outside})
    _serve(control, parent, Wards(plan, folder))


def _preload(modules: Sequence[str]) -> None:
    """One that cannot be imported is for each task to stumble over, where it is told with its traceback."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001  whatever a package does at its import
            if module not in PRELOADED:
                sys.stderr.write(f"{PRELOAD}: {module} cannot be imported: {type(error).__name__}: {error}\n")
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        sys.stderr.write(f"{PRELOAD}: one of {', '.join(modules)} starts threads, which no task would have\n")


def _serve(control: socket.socket, parent: int, wards: Wards) -> None:
    gc.freeze()  # children share the memory of what is imported as long as no collector touches it
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    for each in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(each, lambda *_: None)  # a handler, so that the wake-up byte is written
    signal.set_wakeup_fd(wake.fileno())
    watched = [control.fileno(), woken.fileno(), parent]
    try:
        while parent not in (readable := select.select(watched, [], [])[0]):
            if woken.fileno() in readable:
                woken.recv(4096)
                for pid, status in wards.ended():
                    _tell(control, {"ended": pid, "status": status})
            if control.fileno() in readable:
                _fork(control, wards)
    finally:
        signal.set_wakeup_fd(-1)  # before the pair is closed: signals still come
        wards.end()


def _fork(control: socket.socket, wards: Wards) -> None:
    try:
        request, descriptors, _, _ = socket.recv_fds(control, 1, 3)
    except ConnectionError:  # it was killed before it had read all that it was told
        raise WorkerGone from None
    if not request:
        raise WorkerGone
    try:
        if not descriptors:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))  # noqa: TRY301  the system left it out
        answer: dict[str, Any] = {"forked": wards.fork(lambda: _run(descriptors), descriptors)}
    except OSError as error:
        answer = {"failed": (error.strerror or str(error)).lower()}
    for each in descriptors:
        os.close(each)
    _tell(control, answer)


def _run(descriptors: Sequence[int]) -> None:
    """Where no pipes came along what is printed is not kept."""
    nothing = os.open(os.devnull, os.O_RDWR)
    ends = [nothing, *descriptors[1:], nothing, nothing][:3]
    for number, each in enumerate(ends):
        os.dup2(each, number)
    for each in {nothing, *descriptors[1:]}:
        os.close(each)
    task.serve(socket.socket(fileno=descriptors[0]))
    os._exit(0)


def _tell(control: socket.socket, data: dict[str, Any]) -> None:
    try:
        control.sendall(pack(json.dumps(data).encode()))
    except OSError:
        raise WorkerGone from None


if __name__ == "__main__":
    with contextlib.suppress(WorkerGone):
        main(sys.argv[1:])
