"""The running stack as bin/dev sees it: honcho and its processes, from their start to the last one's end."""

import json
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from devstack import lifeline, places, screen, venv

# honcho's line: time, process, text. Its own remarks come from "system".
LINE = re.compile(r"^(\S+ )?(?P<process>\S+)\s*\| (?P<text>.*)$")
ASK_SECONDS = 0.25  # each answer takes the web some work, while two cores are busy with starting
PARTS = ("database", "broker", "relay", "sink")
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy knows this machine's loopback


class Stack:
    """Started by the constructor; every process ends with this one, however it ends.

    What the processes say while they start and wait for each other is kept back, errors excepted, until `speak`.
    """

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
            preexec_fn=lifeline.leave_with_parent(signal.SIGTERM),  # noqa: PLW1509 no thread has been started yet
        )
        self.stopping = False
        self._kept_back: list[str] | None = []
        self._telling = threading.Thread(target=self._tell, daemon=True)
        self._telling.start()

    @property
    def goes_on(self) -> bool:
        return not self.stopping and self._honcho.poll() is None

    def wait_until_ready(self, port: int, workers: int, seconds: float | None) -> bool:
        """Whether every part answered for itself in time; False as well when the stack has ended meanwhile."""
        started = time.monotonic()
        while self.goes_on and (seconds is None or time.monotonic() - started < seconds):
            if not what_is_missing(port, workers):
                return True
            time.sleep(ASK_SECONDS)
        return False

    def speak(self, *, with_the_past: bool) -> None:
        """From now on every line is shown at once; with what was kept back, or without."""
        past, self._kept_back = self._kept_back or [], None
        for line in past if with_the_past else ():
            screen.say(line)

    def wait(self) -> int:
        """Its exit code, when all processes are gone."""
        code = self._honcho.wait()
        self._telling.join(timeout=1)
        return code

    def stop(self) -> None:
        """Asks; a second time it insists."""
        if self.stopping:
            self._honcho.kill()
        self.stopping = True
        if self._honcho.poll() is None:
            self._honcho.terminate()

    def _tell(self) -> None:
        for line in self._honcho.stdout or ():
            found = LINE.match(line.rstrip("\n"))
            if found and found["process"] == "system":
                continue
            shown = f"{found['process']:>8} | {found['text']}" if found else line.rstrip("\n")
            if self._kept_back is None or (found and found["text"].startswith("error")):
                screen.say(shown)
            else:
                self._kept_back.append(shown)


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
