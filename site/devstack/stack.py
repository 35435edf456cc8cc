"""The running stack as bin/dev sees it: honcho and its processes, from their start to the last one's end."""

import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from devstack import lifeline, places, venv
from devstack.telling import Telling

ASK_SECONDS = 0.25  # each answer takes the web some work, while two cores are busy with starting
LOOK_SECONDS = 1.0
STOP_SECONDS = 6.0  # honcho kills what has not ended five seconds after it asked
PARTS = ("database", "broker", "relay", "sink")
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy knows this machine's loopback


class Stack:
    """Started by the constructor; every process ends with this one, however it ends. `telling` is what they say."""

    def __init__(self, workers: int, environment: dict[str, str]) -> None:
        self._honcho = subprocess.Popen(
            [str(venv.PYTHON), "-m", "honcho", "-f", "Procfile.dev", "start", "-c", f"worker={workers}"],
            cwd=places.ROOT,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for bin/dev, which asks honcho once
            # Not SIGTERM: honcho would first speak of it into a pipe that nobody reads any more, fall over that, and
            # stop nobody. Whatever ends honcho, the keepers notice it and leave in order.
            preexec_fn=lifeline.leave_with_parent(signal.SIGKILL),  # noqa: PLW1509 no thread has been started yet
        )
        self.stopping = False
        self._insist_at: float | None = None
        self._dead: set[int] = set()
        self.telling = Telling()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    @property
    def goes_on(self) -> bool:
        return self._insist_at is None and self._honcho.poll() is None

    def wait_until_ready(self, port: int, workers: int, seconds: float | None) -> bool:
        """Whether every part answered for itself in time; False as well when the stack has ended meanwhile."""
        started = time.monotonic()
        while self.goes_on and (seconds is None or time.monotonic() - started < seconds):
            if not what_is_missing(port, workers):
                return True
            time.sleep(ASK_SECONDS)
            self._look_after_honcho()
        return False

    def wait(self) -> int:
        """The exit code of the part that ended first, else honcho's, when all processes are gone."""
        while self._honcho.poll() is None:
            self._listening.join(LOOK_SECONDS)
            self._look_after_honcho()
        self._listening.join(STOP_SECONDS)  # to the last one's end: they share the pipe
        return self._honcho.returncode if self.telling.first_end is None else self.telling.first_end

    def stop(self) -> None:
        """Asks; a second time it insists."""
        if self.stopping:
            self._honcho.kill()
        self.stopping = True
        self._insist_at = self._insist_at or time.monotonic() + STOP_SECONDS
        if self._honcho.poll() is None:
            self._honcho.terminate()

    def _look_after_honcho(self) -> None:
        """It would wait for ever for a killed process of its own, which could not tell it how the part ended."""
        dead = {pid for pid in lifeline.children_of(self._honcho.pid) if not lifeline.is_alive(pid)}
        lost = self.telling.first_end is None and dead & self._dead  # at a second look: the word of it may be under way
        self._dead = dead
        if lost or (self._insist_at and time.monotonic() > self._insist_at):
            self._honcho.kill()

    def _listen(self) -> None:
        for line in self._honcho.stdout or ():
            self.telling.hear(line.rstrip("\n"))


def what_is_missing(port: int, workers: int) -> str:
    """What /readyz says is not there yet, as a sentence; empty when all is ready."""
    report = _health(port)
    if not report:
        return f"nothing answers on 127.0.0.1:{port}"
    for part in PARTS:
        if not report[part]["ok"]:
            return f"{part}: {report[part]['detail'].rstrip('.')}"
    there = report["workers"]["count"]
    return "" if there >= workers else f"{there} of {workers} workers are there"


def _health(port: int) -> dict[str, Any]:
    """Empty while the web does not answer."""
    try:
        with _DIRECTLY.open(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error)) if error.code == 503 else {}
    except (OSError, ValueError):
        return {}
