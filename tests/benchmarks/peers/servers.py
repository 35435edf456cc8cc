"""The servers that the peers share, each in a folder of its own: RabbitMQ, PostgreSQL, Redis; all wait for the disk."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks import usage
from tests.benchmarks.bench import fresh_database

BOOT_SECONDS = 60
ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(folder: Path) -> Iterator[tuple[dict[str, str], usage.Roles]]:
    """Their addresses as environment variables, and their processes."""
    with ExitStack() as stack:
        rabbitmq_url, rabbitmq = stack.enter_context(_rabbitmq(folder / "rabbitmq"))
        redis_url, redis = stack.enter_context(_redis(folder / "redis"))
        addresses = {"PEERS_POSTGRESQL": fresh_database(), "PEERS_RABBITMQ": rabbitmq_url, "PEERS_REDIS": redis_url}
        yield addresses, {"rabbitmq": [rabbitmq], "redis": [redis], "postgresql": [usage.postgresql_pid()]}


def fresh_millrace(setting: str) -> dict[str, str]:
    """What the peers share is not for Millrace: it has the private broker that it comes with, and a database."""
    if setting == "sqlite":
        return {}
    url = fresh_database()
    return {"DATABASE_URL": url, "PEERS_POSTGRESQL": url}


@contextmanager
def _rabbitmq(folder: Path) -> Iterator[tuple[str, int]]:
    from devstack import credentials, node

    folder.mkdir()
    secrets = credentials.ensure(folder)
    environment = {**os.environ, "MILLRACE_VAR": str(folder), "PYTHONPATH": f"{ROOT}:{ROOT / 'site'}"}
    with _process([sys.executable, "-m", "tests.benchmarks.peers.broker"], environment) as process:
        _wait(lambda: node.answers(secrets["broker"]["port"]), process)
        yield credentials.amqp_url(secrets, "relay"), process.pid


@contextmanager
def _redis(folder: Path) -> Iterator[tuple[str, int]]:
    from devstack import credentials

    program = shutil.which("redis-server") or shutil.which("valkey-server")
    assert program, "the peers need redis-server: apt-get install redis-server"
    folder.mkdir()
    port = credentials.free_port()
    where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    # As its documentation recommends: at most a second is lost with the power.
    how = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    with _process([program, *where, *how], dict(os.environ)) as process:
        _wait(lambda: not credentials.is_free(port), process)
        yield f"redis://127.0.0.1:{port}", process.pid


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait(ready: "object", process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while not ready():  # type: ignore[operator]
        assert process.poll() is None, "it ended while it started"
        assert time.monotonic() < deadline, "it did not start in time"
        time.sleep(0.05)
