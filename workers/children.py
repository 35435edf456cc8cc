"""The worker's side of the template: starts it and has it fork children.

template = await Template.start(modules)       # raises HandlersUnusable
template = await Template.start_sandbox(plan, bubblewrap)  # the same of the sandbox
child = await template.fork(on_answers)        # raises ChildDied
child.link.post(body)                          # a TaskMessage's; answers.py is what comes back
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers import tree
from workers.announcement import why_too_large
from workers.capture import Capture
from workers.link import Link, pair
from workers.pipes import Pipe
from workers.sandbox import command
from workers.sandbox.plan import BROKEN, Plan

KEPT_FROM_HANDLERS = ("RABBITMQ_URL", "MILLRACE_TOKEN", "MILLRACE_SECRET_KEY", "DATABASE_URL")
KILLED_SECONDS = 0.5  # for the system, to end what was killed
REAP_SECONDS = 0.01
HINTS = {
    "SIGKILL": ", most likely because memory ran out",
    "SIGSEGV": ", a fault in native code",
    "SIGABRT": ", native code gave up",
    "SIGXCPU": ", its CPU time was used up",
}
CODES = {BROKEN: ": it had closed or broken what it answers with"}

Forked = tuple[int, "asyncio.Future[int]"]  # the child's pid, and its wait status once it has ended


class HandlersUnusable(Exception):
    """The template could not serve the handlers' modules; the text is one line."""


class ChildDied(Exception):
    """The child's process ended; the text says how, for a person."""


class Template:
    """A running template process. `gone` is done when it has ended, and all its children with it."""

    _process: subprocess.Popen[bytes]

    def __init__(self, control: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self.kinds: list[dict[str, Any]] = []
        self.environment: dict[str, Any] = {}
        self.gone: asyncio.Future[None] = loop.create_future()
        self.folder = ""  # for temporary files
        self._elsewhere = frozenset(each.pid for each in tree.below(os.getpid()))
        self._descriptors = control.dup()  # asyncio lets nobody send descriptors over a socket that it reads
        self._hello: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._forking: deque[asyncio.Future[Forked]] = deque()
        self._ended: dict[int, asyncio.Future[int]] = {}

    @classmethod
    async def start(cls, modules: Sequence[str]) -> "Template":
        module = [sys.executable, "-m", "workers.template"]
        environment = {name: value for name, value in os.environ.items() if name not in KEPT_FROM_HANDLERS}
        return await cls._start(lambda own: [*module, str(own), str(os.getpid()), *modules], environment)

    @classmethod
    async def start_sandbox(cls, plan: Plan, bubblewrap: str | None) -> "Template":
        """As probe.py found them."""
        environment = command.environment(bubblewrap)
        return await cls._start(lambda own: command.template(plan, own, bubblewrap=bubblewrap), environment, "/")

    @classmethod
    async def _start(
        cls, made: Callable[[int], list[str]], environment: Mapping[str, str], folder: str | None = None
    ) -> "Template":
        """`made`: of the descriptor that it is to speak on."""
        ours, theirs = socket.socketpair()
        self = cls(ours)
        await Pipe.over(ours, self._on_frame, self._on_lost)
        # From the main thread, which lives as long as the process: the template's death signal hangs on it.
        self._process = subprocess.Popen(
            made(theirs.fileno()),
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # the terminal's Ctrl-C is for the worker, which lets its tasks finish
            cwd=folder,
            env=dict(environment),
        )
        _living.add(self)
        theirs.close()
        hello = await self._hello
        self.folder = hello.get("folder", "")
        if unusable := hello.get("error") or why_too_large(hello["kinds"], hello["environment"]):
            await self.stop()
            raise HandlersUnusable(unusable)
        self.kinds, self.environment = hello["kinds"], hello["environment"]
        return self

    async def fork(self, on_answers: Callable[[list[bytes]], None]) -> "Child":
        """`on_answers` gets what the child answers. Raises ChildDied when the template has ended or cannot fork."""
        with contextlib.ExitStack() as made:
            try:
                ours, theirs = pair()
                made.callback(ours.close)
                made.callback(theirs.close)
                capture = Capture()
                made.callback(capture.close)
            except OSError as error:  # no descriptor left, for now
                raise ChildDied(f"its process was not started: {(error.strerror or str(error)).lower()}") from None
            try:
                pid, status = await self._forked([theirs.fileno(), *capture.theirs])
            finally:
                capture.hand_over()
            made.pop_all()
        link = Link(ours, theirs, on_answers)
        capture.listen(link.look)
        return Child(pid, link, capture, status)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def stop(self) -> None:
        """Kills it and, by the kernel, its children; what these have started comes to this process, and is killed."""
        if self._process.poll() is None:
            self._process.kill()
        await self.gone
        self._process.wait()
        _living.discard(self)
        await self._end_orphans()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)  # when it could not do so itself

    async def _end_orphans(self) -> None:
        tree.kill_below(os.getpid(), spared=self._not_its_own())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILLED_SECONDS):
                while not tree.reap_below(os.getpid(), spared=self._not_its_own()):
                    await asyncio.sleep(REAP_SECONDS)

    def _not_its_own(self) -> set[int]:
        """What was there before it, and whatever belongs to another template."""
        return {*self._elsewhere, *(each.pid for each in _living)}

    async def _forked(self, descriptors: Sequence[int]) -> Forked:
        try:
            socket.send_fds(self._descriptors, [b"f"], descriptors)
        except OSError:  # it may have ended a moment before `gone` tells
            raise ChildDied("its process was not started: the process it is forked from has ended") from None
        forked: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        self._forking.append(forked)
        return await forked

    def _on_frame(self, frame: bytes) -> None:
        data = json.loads(frame)
        if not self._hello.done():
            self._hello.set_result(data)
        elif "forked" in data:
            ended = self._ended[data["forked"]] = asyncio.get_running_loop().create_future()
            waiting = self._forking.popleft()
            if not waiting.done():  # whoever waited is about to leave
                waiting.set_result((data["forked"], ended))
        elif "failed" in data:
            waiting = self._forking.popleft()
            if not waiting.done():
                waiting.set_exception(ChildDied(f"its process was not started: {data['failed']}"))
        elif "ended" in data:
            self._ended.pop(data["ended"]).set_result(data["status"])

    def _on_lost(self) -> None:
        self._descriptors.close()
        if not self._hello.done():
            self._hello.set_result({"error": "the process that imports the handlers ended before it was ready"})
        lost = ChildDied("its process was killed together with the process it was forked from")
        waiting: list[asyncio.Future[Any]] = [*self._forking, *self._ended.values()]
        for each in waiting:
            if not each.done():
                each.set_exception(lost)
                each.exception()  # marks it as looked at: perhaps nobody asks
        self.gone.set_result(None)


_living: set[Template] = set()  # started and not stopped


class Child:
    """One child process. It runs what is posted on its link, one after the other, and answers in the same order."""

    def __init__(self, pid: int, link: Link, capture: Capture, status: "asyncio.Future[int]") -> None:
        self.pid = pid
        self.link = link
        self.capture = capture
        self._status = status

    async def ended(self) -> str:
        """Waits for its end; says how it ended. What it had answered before has been handed on."""
        try:
            text = describe_end(await asyncio.shield(self._status))
        except ChildDied as died:
            text = str(died)
        self.link.read()
        return text

    def send_signal(self, number: signal.Signals) -> None:
        if not self._status.done():  # else its pid may belong to another process by now
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Nothing that it answers from now on is read."""
        self.link.close()
        self.capture.close()
        self.send_signal(signal.SIGKILL)


def describe_end(status: int) -> str:
    """A sentence about a process's wait status."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"its process exited with code {code}{CODES.get(code, '')}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was killed by {name}{HINTS.get(name, '')}"
