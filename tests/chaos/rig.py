"""A private stack of which every process can be stopped, killed and started alone: the lines of Procfile.dev.

Each line runs as honcho would run it, under its keeper, with two differences: `tests/chaos/inject` is on the path, and
a part that is called in `through` reaches the broker by another port.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack import credentials, lifeline, places, stack
from tests.chaos import ledger

INJECT = places.ROOT / "tests" / "chaos" / "inject"
FOLDER = "CHAOS_FOLDER"  # where crash points are armed, and marked when they were hit
ROLE = "CHAOS_ROLE"
WITHOUT = "CHAOS_WITHOUT"  # the mechanisms that are switched off, separated by commas
READY_SECONDS = 120.0


@dataclass
class Part:
    """One line of Procfile.dev."""

    name: str
    line: str
    keeper: subprocess.Popen[bytes] | None = None

    @property
    def role(self) -> str:
        return self.name.partition("-")[0]

    def pid(self) -> int | None:
        """Of the process itself, not its keeper."""
        return next(iter(lifeline.children_of(self.keeper.pid)), None) if self.keeper else None


@dataclass
class Rig:
    var: Path
    workers: int = 1
    slots: int = 2
    database_url: str = ""
    without: tuple[str, ...] = ()
    through: Mapping[str, int] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    _token: str = ""

    def __post_init__(self) -> None:
        self.secrets = credentials.ensure(self.var)
        self.port = credentials.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ledger = self.var / "ledger"
        self.temporary = self.var / "tmp"
        self.temporary.mkdir(exist_ok=True)
        for name, line in _procfile():
            copies = [f"{name}-{n}" for n in range(1, self.workers + 1)] if name == "worker" else [name]
            self.parts |= {copy: Part(copy, line) for copy in copies}

    @property
    def broker_port(self) -> int:
        return int(self.secrets["broker"]["port"])

    def start(self) -> None:
        self.prepare()
        self.start_parts()

    def prepare(self) -> None:
        """What the parts need: the broker, and an empty database."""
        self.start_part(self.parts["broker"])
        self.manage("prepare")

    def start_parts(self) -> None:
        """Everything that is not up."""
        for part in self.parts.values():
            self.start_part(part)

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Raises AssertionError with what is missing."""
        deadline = time.monotonic() + seconds
        while missing := stack.what_is_missing(self.port, self.workers):
            assert time.monotonic() < deadline, missing
            time.sleep(0.1)

    def start_part(self, part: Part) -> None:
        if part.keeper and part.keeper.poll() is None:
            return
        with (self.var / f"{part.name}.log").open("ab") as log:
            part.keeper = subprocess.Popen(
                ["/bin/sh", "-c", part.line],
                cwd=places.ROOT,
                env=self._environment(part),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, *names: str) -> None:
        """In order, all at once, as honcho does; without names everything."""
        keepers = [part.keeper for part in self.parts.values() if part.keeper and part.name in (names or self.parts)]
        for keeper in keepers:
            if keeper.poll() is None:
                keeper.terminate()
        for keeper in keepers:
            keeper.wait(60)

    def kill(self, name: str) -> int | None:
        """The process of a part, which its keeper starts again; its pid, None when it was not there."""
        pid = self.parts[name].pid()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pid

    def kill_everything(self) -> None:
        """As by a power cut."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for part in self.parts.values():
            if part.keeper:
                part.keeper.wait()

    def pids(self) -> list[int]:
        """The processes that have this folder in their environment."""
        mine = f"MILLRACE_VAR={self.var}\0".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mine in (entry / "environ").read_bytes() + b"\0":
                    found.append(int(entry.name))
        return found

    def leftovers(self) -> list[str]:
        """Command lines of processes that still belong to this folder."""
        found = []
        for pid in self.pids():
            with contextlib.suppress(OSError):
                found.append(f"{pid} {Path(f'/proc/{pid}/cmdline').read_text().replace(chr(0), ' ')}")
        return found

    def manage(self, *arguments: str) -> str:
        command = [str(places.VENV / "bin" / "python"), "manage.py", *arguments]
        environment = {**self._outside(), "MILLRACE_VAR": str(self.var), **self._database()}
        return subprocess.check_output(command, cwd=places.ROOT, env=environment, text=True).strip()

    def token(self) -> str:
        """The same one each time."""
        self._token = self._token or self.manage(
            *("token", "create", "--user", "admin", "--scope", "tasks:read", "--scope", "tasks:write"),
        )
        return self._token

    def forget(self) -> None:
        """What was run and said so far, by all but the broker."""
        self.ledger.unlink(missing_ok=True)
        for name in self.parts:
            if name != "broker":
                (self.var / f"{name}.log").unlink(missing_ok=True)

    def log_of(self, name: str) -> str:
        path = self.var / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _environment(self, part: Part) -> dict[str, str]:
        environment = {
            **self._outside(),
            **self._database(),
            "MILLRACE_VAR": str(self.var),
            "MILLRACE_PORT": str(self.port),
            "MILLRACE_CONCURRENCY": str(self.slots),
            "MILLRACE_HANDLERS": "tests.chaos.handlers",
            "PYTHONPATH": str(INJECT),  # behind what the line itself puts there
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.temporary),
            ledger.VARIABLE: str(self.ledger),
            FOLDER: str(self.var),
            ROLE: part.role,
            WITHOUT: ",".join(self.without),
        }
        if part.name in self.through:
            address = credentials.amqp_url(self.secrets, part.role)
            environment["RABBITMQ_URL"] = address.replace(f":{self.broker_port}/", f":{self.through[part.name]}/")
        return environment

    def _database(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url} if self.database_url else {}

    def _outside(self) -> dict[str, str]:
        mine = ("CHAOS_", "DJANGO_", "MILLRACE_", "DATABASE_URL", "RABBITMQ_URL", "PYTHONPATH")
        return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


def _procfile() -> Iterator[tuple[str, str]]:
    for line in (places.ROOT / "Procfile.dev").read_text().splitlines():
        name, separator, command = line.partition(": ")
        if separator:
            yield name, command
