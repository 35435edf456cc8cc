"""`bin/test`: sets up what is missing, then every check and every test; with arguments, pytest alone with these."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from devstack import bubblewrap, chromium, commands, lifeline, places, rabbitmq, screen, setup, venv
from devstack.screen import Stop

BIN = places.VENV / "bin"
CHECKS: Sequence[tuple[str, Sequence[str]]] = (
    ("Format", ("ruff", "format", "--check", "--quiet", ".")),
    ("Lint", ("ruff", "check", "--quiet", ".")),
    ("Import contracts", ("lint-imports", "--no-cache")),
    ("Types", ("mypy", ".")),
    ("Migrations are complete", ("python", "manage.py", "makemigrations", "--check", "--dry-run")),
)
# One test has 5 minutes (pyproject.toml); this is for what hangs between two or at the very end.
LIMIT_SECONDS = 30 * 60
LOOK_SECONDS = 0.1
LAST_LINES = 10
# So many side by side on two cores: mostly they wait, for processes to start and for time to pass.
LANES = 5
# A lane takes the next run when it has ended one, so what takes longest stands first. What kills processes all the time
# stands last: it holds up what is made for a machine at rest.
# What uses the database runs on both; what cannot get at it, as tests/conftest.py finds, runs once. The browser has a
# process to itself: Playwright's event loop would be in the way of others.
BAD_INPUT = tuple(f"tests/bad_input/test_{name}.py" for name in ("forms", "graphql", "numbers"))
BAD_COMMANDS = ("tests/bad_input/test_commands.py", "tests/bad_input/test_document.py")
ON_BOTH = ("tests/accounts", "tests/audit", *BAD_INPUT, "tests/config", "tests/fuzz", "tests/queues", "tests/tasks")
NOT_AGAIN = "--ignore=tests/config/test_who_may.py"  # who may do what is decided in Python
RUNS: Sequence[tuple[str, str, Sequence[str]]] = (
    ("Pages in a browser", "sqlite", ("tests/browser",)),
    ("What uses the database, SQLite", "sqlite", (*ON_BOTH, "tests/templates")),
    ("What uses the database, PostgreSQL", "postgresql", ("-m", "database", *ON_BOTH, NOT_AGAIN)),
    ("Workers", "sqlite", ("tests/workers",)),
    ("Relay and sink, SQLite", "sqlite", ("tests/relay", "tests/sink", "tests/bad_input/test_messages.py")),
    ("Relay, PostgreSQL", "postgresql", ("tests/relay",)),
    ("The whole stack, SQLite", "sqlite", ("tests/system",)),
    ("Setting up and keeping", "sqlite", ("tests/devstack", *BAD_COMMANDS)),
    ("The client", "sqlite", ("tests/client",)),
    ("A newcomer's story, PostgreSQL", "postgresql", ("tests/system/test_story.py",)),
    ("Chaos without a mechanism", "sqlite", ("tests/chaos/test_controls.py",)),
    ("Chaos, PostgreSQL", "postgresql", ("tests/chaos/test_short.py",)),
    ("Chaos, SQLite", "sqlite", ("tests/chaos/test_short.py",)),
    ("Crash points", "sqlite", ("tests/chaos/test_crash_points.py",)),
    ("A cluster of three", "sqlite", ("tests/cluster",)),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest, or a check, when it has ended."""

    name: str
    passed: int
    failed: bool
    complaints: Sequence[str] = ()  # one line for each test that failed


def main() -> int:
    # A shell has what it starts in the background ignore Ctrl-C, and with it every program that the tests press it in.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    setup.get_programs(venv.TESTS, {"RabbitMQ": rabbitmq, "Chromium": chromium, "bubblewrap": bubblewrap})
    os.environ.update(chromium.environment() | bubblewrap.environment())
    os.environ["PYTHONPATH"] = f"{places.ROOT}:{places.ROOT / 'site'}"
    os.environ.setdefault("MILLRACE_SECRET_KEY", "for-the-checks-only" * 3)
    arguments = sys.argv[1:]
    return _pytest(*arguments) if arguments else _everything()


def _everything() -> int:
    leave_none_out()
    started = time.monotonic()
    runs = list(_side_by_side())
    failed = [run.name for run in runs if run.failed]
    took = time.monotonic() - started
    screen.say("".join(f"\n{complaint}" for run in runs for complaint in run.complaints))
    screen.say(f"{'FAILED: ' + ', '.join(failed) if failed else 'Everything passed'} ({took / 60:.1f} min)")
    screen.say(f"{sum(run.passed for run in runs)} passed in {took:.2f}s")
    return 1 if failed else 0


def leave_none_out() -> None:
    """Raises Stop when tests are in no run, neither by their folder nor by their file: they would never run."""
    known = {path for _, _, paths in RUNS for path in paths}
    for file in (places.ROOT / "tests").rglob("test_*.py"):
        path = file.relative_to(places.ROOT)
        folder = "/".join(path.parts[:2])
        if folder not in known and str(path) not in known:
            some = path if any(each.startswith(f"{folder}/") for each in known) else folder
            raise Stop(f"{some} is in no run of site/devstack/check.py")


def _side_by_side() -> Iterator[Run]:
    """Checks and the runs of all lanes, each when it has ended. No thread: a program is not to be forked beside one."""
    left = iter(RUNS)
    lanes = [_checks(), *(_lane(left) for _ in range(LANES))]
    while lanes:
        for lane in list(lanes):
            try:
                if run := next(lane):
                    yield run
            except StopIteration:
                lanes.remove(lane)
        time.sleep(LOOK_SECONDS)


def _checks() -> Iterator[Run | None]:
    """All at once; None as long as there is nothing new."""
    started = time.monotonic()
    under_way = {name: commands.start(BIN / command[0], *command[1:]) for name, command in CHECKS}
    for name, check in under_way.items():
        while True:
            try:
                said, complaint = check.communicate(timeout=LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                yield None
            else:
                break
        screen.say(f"== {name}: {'FAILED' if check.returncode else 'ok'} ({time.monotonic() - started:.1f} s)")
        if check.returncode:
            screen.say((said + complaint).strip())
        yield Run(name, passed=0, failed=bool(check.returncode))


def _lane(left: Iterator[tuple[str, str, Sequence[str]]]) -> Iterator[Run | None]:
    """Of those that no lane has taken yet; None as long as there is nothing new."""
    for name, database, paths in left:
        with tempfile.TemporaryFile("w+", errors="replace") as output:  # no pipe, which what is left over holds open
            running = _start(database, paths, output)
            started = time.monotonic()
            pid = 0
            while not pid:
                yield None
                if is_late := time.monotonic() - started > LIMIT_SECONDS:
                    os.kill(running, signal.SIGABRT)  # pytest's handler prints where each thread is
                pid, status, used = os.wait4(running, 0 if is_late else os.WNOHANG)
            output.seek(0)
            took = f"{time.monotonic() - started:.0f} s, of the processors {used.ru_utime + used.ru_stime:.0f} s"
            yield _shown(name, output.read(), took, failed=status != 0)


def _start(database: str, paths: Sequence[str], output: IO[str]) -> int:
    """The pid."""
    running = subprocess.Popen(
        [str(BIN / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5", *paths],
        cwd=places.ROOT,
        env={**os.environ, "MILLRACE_TEST_DATABASE": database, "COLUMNS": "240"},
        stdout=output,
        stderr=subprocess.STDOUT,
        preexec_fn=lifeline.leave_with_parent(signal.SIGINT),  # noqa: PLW1509 as by Ctrl-C: it stops what it started
    )
    running.returncode = 0  # it is waited for elsewhere
    return running.pid


def _shown(name: str, said: str, took: str, *, failed: bool) -> Run:
    """What it printed is shown when it is done, so that lanes do not mix."""
    screen.say(f"\n== {name}: {'FAILED' if failed else 'ok'} ({took})\n{said.strip()}")
    return Run(name, passed=passed_of(said), failed=failed, complaints=complaints_of(said) if failed else ())


def passed_of(said: str) -> int:
    """The number in pytest's closing line."""
    found = re.findall(r"\b(\d+) passed\b.* in [\d.]+s", said)
    return int(found[-1]) if found else 0


def complaints_of(said: str) -> list[str]:
    """What pytest's short summary says of each test that failed, or else how it ended: for where one looks first."""
    return re.findall(r"^(?:FAILED|ERROR) .+", said, re.MULTILINE) or said.strip().splitlines()[-LAST_LINES:]


def _pytest(*arguments: str) -> int:
    return subprocess.run([str(BIN / "python"), "-m", "pytest", *arguments], cwd=places.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(screen.run(main))
