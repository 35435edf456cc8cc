"""`bin/setup`: everything a first start needs, each step skipped when it has been done."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

from devstack import bubblewrap, commands, credentials, debs, places, rabbitmq, screen, venv
from devstack.screen import Stop, step

USAGE = """\
usage: bin/setup

Gets what is missing: the Python packages into .venv, RabbitMQ (unless RABBITMQ_URL names one),
the folder of all data with its secrets and database (MILLRACE_VAR, else var/). Needs no root.
bin/dev does the same before it starts."""


def main() -> None:
    if sys.argv[1:] in (["--help"], ["-h"]):
        screen.say(USAGE)
        return
    if sys.argv[1:]:
        raise Stop(f"bin/setup takes no options (got {sys.argv[1]!r:.40})", code=2)
    prepare()
    then = "Start with bin/dev"
    if os.environ.get("MILLRACE_ENV") == "production":
        then = "Start the units (systemctl start millrace), then look with ./manage.py doctor"
    screen.say(f"All set up; the data will be in {places.short(places.var())}. {then}")


def prepare() -> None:
    """Packages, RabbitMQ unless another one is given, the data folder with its secrets, the database."""
    os.environ["MILLRACE_VAR"] = str(places.var())  # a relative one is meant from here
    places.check(places.var())
    get_what_runs()
    prepare_data()


def get_what_runs() -> None:
    others = {} if os.environ.get("RABBITMQ_URL") else {"RabbitMQ": rabbitmq}
    get_programs(venv.RUN, {**others, **({"bubblewrap": bubblewrap} if debs.available() else {})})


def prepare_data() -> None:
    credentials.ensure(places.var())
    with step("Database"):
        answer(manage("prepare"))


def get_programs(lock: str, others: Mapping[str, ModuleType]) -> None:
    """What all data folders of this checkout share: the Python packages and, fetched beside them, `others` by name."""
    with _one_at_a_time():
        started = time.monotonic()
        missing = {
            name: commands.start(sys.executable, "-m", module.__name__)
            for name, module in others.items()
            if module.find() is None
        }
        venv.ensure(lock)
        for name, getting in missing.items():
            if getting.poll() is None:
                with step(name, since=started):
                    answer(getting)
            else:
                answer(getting)
                screen.say(f"{name} ... at the same time")


def manage(*arguments: str) -> subprocess.Popen[str]:
    """`manage.py` with these arguments, its output caught."""
    return commands.start(venv.PYTHON, "manage.py", *arguments)


def answer(command: subprocess.Popen[str]) -> str:
    """What it printed. Raises Stop with what it complained of."""
    try:
        return commands.finish(command).strip()
    except commands.CommandFailed as error:
        raise Stop(error.last_line, 2 if error.code == 2 else 1) from None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    try:
        places.CACHE.mkdir(exist_ok=True)
        file = (places.CACHE / "setup.lock").open("w")
    except OSError as error:
        raise places.cannot_be_used(places.CACHE, error) from None
    with file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("Waiting for another setup here"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(screen.run(main))
