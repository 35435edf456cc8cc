"""How much each process of a stack takes, looked at now and then; and what they say that nobody should have to read."""

import contextlib
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.rig import ROLE, Rig

EVERY_SECONDS = 3.0
MOST_BYTES = 300_000_000
# Than at the start, when the web has not used its threads: each of eight has connections to database and client.
MORE_FILES = 60
# What a traceback in a log may be about: what was done to the process from outside. The last two are pika's own words
# about a line that was cut as soon as it stood; ten seconds later it tries again.
EXPECTED = re.compile(
    r"KeyboardInterrupt|database is locked|server closed the connection|terminating connection"
    r"|Transport endpoint is not connected|Expected connected socket"
)


class Vitals:
    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._most_bytes: defaultdict[str, int] = defaultdict(int)
        self._files_at_first = self._files()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> Iterator[str]:
        """What is not as it should be; to be asked while all is quiet and up."""
        self._ended.set()
        self._thread.join()
        for role, most in self._most_bytes.items():
            if most > MOST_BYTES:
                yield f"a process of {role} took {most:,} bytes of memory"
        for role, files in self._files().items():
            if files > self._files_at_first.get(role, files) + MORE_FILES:
                yield f"a process of {role} has {files} files open, at first it were {self._files_at_first[role]}"

    def tracebacks(self) -> Iterator[str]:
        for name in self._rig.parts:
            for found in re.finditer(
                r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(.*)", self._rig.log_of(name)
            ):
                if not EXPECTED.search(found[0]):
                    yield f"{name}: {found[0][-1500:]}"

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            for pid, role in self._processes():
                self._most_bytes[role] = max(self._most_bytes[role], _bytes_of(pid))

    def _files(self) -> dict[str, int]:
        """The most that a process of a role has open."""
        found: defaultdict[str, int] = defaultdict(int)
        for pid, role in self._processes():
            with contextlib.suppress(OSError):
                found[role] = max(found[role], len(list(Path(f"/proc/{pid}/fd").iterdir())))
        return found

    def _processes(self) -> Iterator[tuple[int, str]]:
        for pid in self._rig.pids():
            with contextlib.suppress(OSError):
                environment = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
                if found := re.search(rf"(?:^|\0){ROLE}=(\w+)", environment):
                    yield pid, found[1]


def _bytes_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        if found := re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()):
            return int(found[1]) * 1024
    return 0
