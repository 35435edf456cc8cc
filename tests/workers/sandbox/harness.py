"""A running sandbox as a worker would have it: asks its template for children, hands each one task, keeps its time."""

import contextlib
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workers.rig import children_of, is_alive
from workers import link
from workers.answers import note_in
from workers.children import describe_end
from workers.messages import Outcome, Progress, TaskMessage
from workers.sandbox import command, own
from workers.sandbox.plan import Plan

KEPT_OUTPUT = 65_536
STOP_SECONDS = 0.2  # a worker gives 5
PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Ended:
    """How one task ended: with an outcome that can be believed, or with the end of its process."""

    outcome: Outcome | None = None
    how: str = ""
    intruded: bool = False  # it wrote to the worker's socket what no honest task writes
    stdout: bytes = b""
    stderr: bytes = b""
    pid: int = 0
    answers: list[bytes] = field(default_factory=list)
    notes: list[Progress] = field(default_factory=list)  # how far it said it had come

    @property
    def result(self) -> Any:
        assert self.outcome, self
        assert self.outcome.status == "FINISHED", self.outcome
        return json.loads(self.outcome.result) if self.outcome.result is not None else self.outcome.value

    @property
    def error(self) -> str:
        """`Type: message`."""
        assert self.outcome, self
        assert self.outcome.error, self.outcome
        return f"{self.outcome.error.type}: {self.outcome.error.message}"


def python_is_readable_for_nobody() -> bool:
    """Whether code could be run by an unprivileged user without a view of its own."""
    folders = [Path(sys.base_prefix), *Path(sys.base_prefix).parents]
    return os.getuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


class Sandbox:
    def __init__(self, plan: Plan, bubblewrap: str | None) -> None:
        self.plan = plan
        self._control, theirs = socket.socketpair()
        self._control.settimeout(PATIENCE_SECONDS)
        self.process = subprocess.Popen(
            command.template(plan, theirs.fileno(), bubblewrap=bubblewrap),
            env=command.environment(bubblewrap),
            cwd="/",
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._frames: list[dict[str, Any]] = []
        self.tasks = 0
        self._waiting: Child | None = None
        self.hello = self._frame("kinds", "error")
        self.template_pids = [pid for pid in children_of(self.process.pid) if is_alive(pid)]
        self.template_pid = self.template_pids[-1] if self.template_pids else self.process.pid

    def close(self) -> None:
        self._control.close()
        self.process.wait(PATIENCE_SECONDS)

    def run(self, code: str, *, limit: float | None = None, **params: Any) -> Ended:
        """One task from its fork to its end. `limit`: seconds, after which it is told; STOP_SECONDS later killed."""
        with self.child() as child:
            child.post(code, limit=limit, **params)
            return child.wait(limit)

    @contextlib.contextmanager
    def child(self) -> Iterator["Child"]:
        child = self.start_child()
        try:
            yield child
        finally:
            child.end()

    def next_child(self) -> tuple["Child", "Child"]:
        """The one that was there while the task before ran, and the one that is there while this one does."""
        child, self._waiting = self._waiting or self.start_child(), self.start_child()
        return child, self._waiting

    def start_child(self) -> "Child":
        ours, theirs = link.pair()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        socket.send_fds(self._control, [b"f"], [theirs.fileno(), out_end, err_end])
        told = self._frame("forked", "failed")
        for each in (out_end, err_end):
            os.close(each)
        theirs.close()
        assert "forked" in told, told
        self.tasks += 1
        return Child(self, told["forked"], ours, [out, err], self.tasks)

    def ended(self, pid: int, seconds: float = PATIENCE_SECONDS) -> int:
        """Waits for the wait status of a child. Raises TimeoutError."""
        while True:
            for frame in self._frames:
                if frame.get("ended") == pid:
                    self._frames.remove(frame)
                    return int(frame["status"])
            if not select.select([self._control], [], [], seconds)[0]:
                raise TimeoutError
            self._read()

    def _frame(self, *names: str) -> dict[str, Any]:
        while True:
            for frame in self._frames:
                if set(names) & set(frame):
                    self._frames.remove(frame)
                    return frame
            self._read()

    def _read(self) -> None:
        size = int.from_bytes(_exactly(self._control, 4), "big")
        self._frames.append(json.loads(_exactly(self._control, size)))


class Child:
    def __init__(self, sandbox: Sandbox, pid: int, sock: socket.socket, outputs: list[int], task: int) -> None:
        self.pid = pid
        self._sandbox = sandbox
        self._socket = sock
        self._outputs = outputs
        self.task = task
        self._over = False

    def post(self, code: str, *, limit: float | None = None, **params: Any) -> None:
        message = TaskMessage(
            task=self.task, attempt=1, kind="code.python", params={"code": code, **params}, timeout_seconds=limit
        )
        link.send(self._socket, message.encode())

    def wait(self, limit: float | None = None) -> Ended:
        """Until it has answered or ended."""
        ended = Ended(pid=self.pid)
        outputs = {self._outputs[0]: bytearray(), self._outputs[1]: bytearray()}
        joiner = link._Joiner()
        self._hear(ended, joiner, outputs, limit)
        self.end()
        self._drain(outputs)
        ended.stdout, ended.stderr = (bytes(each) for each in outputs.values())
        ended.how = describe_end(self._status)
        return ended

    def answered(self) -> float:
        """When the answer to a short task was there, by time.perf_counter."""
        body = next(link.receive(self._socket))
        now = time.perf_counter()
        outcome = own.outcome_of(body, self.task, 1)
        assert outcome, body
        return now - outcome.run_seconds

    def end(self) -> None:
        """Kills it, as a worker does after each answer of a sandboxed task, and waits for its end."""
        if self._over:
            return
        self._over = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._status = self._sandbox.ended(self.pid)
        self._socket.close()

    def _hear(self, ended: Ended, joiner: Any, outputs: dict[int, bytearray], limit: float | None) -> None:
        began = time.monotonic()
        told = False
        while ended.outcome is None and not ended.intruded:
            passed = time.monotonic() - began
            assert passed < PATIENCE_SECONDS, "it neither answers nor ends"
            if limit is not None and passed > limit and not told:
                os.kill(self.pid, signal.SIGTERM)
                told = True
            if limit is not None and passed > limit + STOP_SECONDS:
                return
            if not self._hear_once(ended, joiner, outputs):
                self._await_end(limit)
                return

    def _hear_once(self, ended: Ended, joiner: Any, outputs: dict[int, bytearray]) -> bool:
        """False: it has closed its end of the socket, with its life as a rule."""
        readable, _, _ = select.select([self._socket.fileno(), *outputs], [], [], 0.02)
        for each in set(readable) & set(outputs):
            _read_into(outputs, each)
        if self._socket.fileno() in readable:
            try:
                packet = self._socket.recv(65_537)
            except ConnectionError:
                return False
            if not packet:
                return False
            if (body := joiner.feed(packet)) is not None:
                self._take(body, ended)
        return True

    def _take(self, body: bytes, ended: Ended) -> None:
        if note := own.progress_of(note_in(body), self.task, 1):
            ended.notes.append(note)
            return
        ended.answers.append(body)
        ended.outcome = own.outcome_of(body, self.task, 1)
        ended.intruded = ended.outcome is None

    def _await_end(self, limit: float | None) -> None:
        """It has closed its end of the socket, as the end of its life does."""
        with contextlib.suppress(TimeoutError):
            self._status = self._sandbox.ended(self.pid, limit or PATIENCE_SECONDS)
            self._over = True
            self._socket.close()

    def _drain(self, outputs: dict[int, bytearray]) -> None:
        for each in list(outputs):
            while each in select.select([each], [], [], 0)[0] and _read_into(outputs, each):
                pass
            os.close(each)


def _read_into(outputs: dict[int, bytearray], descriptor: int) -> bool:
    data = os.read(descriptor, 65_536)
    outputs[descriptor] += data[: max(0, KEPT_OUTPUT - len(outputs[descriptor]))]
    if not data:
        time.sleep(0.001)  # its end of it is closed
    return bool(data)


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        assert piece, "the template has ended"
        data += piece
    return data
