"""The private RabbitMQ node in the foreground, which leaves nothing behind however it ends."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from devstack import credentials, lifeline, node, places, rabbitmq, screen
from devstack.disk import Disk

STOP_SECONDS = 3.5  # honcho kills five seconds after it asked
LOCK_SECONDS = 10.0
LOOK_SECONDS = 1.0


class BrokerError(Exception):
    """Why there is no node, as a sentence for a person."""


def main() -> None:
    signals = lifeline.Signals(lifeline.STOPS | {signal.SIGCHLD})
    if os.environ.get("RABBITMQ_URL"):
        signals.wait(None)
        return
    try:
        run(places.var(), signals)
    except BrokerError as error:
        sys.exit(f"error: {error}")


def run(var: Path, signals: lifeline.Signals) -> None:
    """Runs the node until a signal asks to stop; raises BrokerError when it cannot start or ends by itself."""
    server, broker = rabbitmq.find(), credentials.read(var).get("broker")
    if server is None or broker is None:
        raise BrokerError("there is no private RabbitMQ yet; run bin/setup first")
    folder = var / "broker"
    folder.mkdir(exist_ok=True)
    lifeline.adopt_orphans()
    lock = _lock(folder)
    _check_ports(broker)
    environment = node.prepare(folder, server, broker)
    try:
        _run(folder, environment, broker, lock, signals)
    finally:
        lifeline.end_descendants()


def _lock(folder: Path) -> int:
    """Wait until the last node on these data is gone: VM and epmd hold the lock too, and may outlive their parent."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        time.sleep(0.05)
    raise BrokerError(f"another RabbitMQ node runs on {places.short(folder)}")


def _check_ports(broker: dict[str, Any]) -> None:
    for name in credentials.PORT_NAMES:
        if not credentials.is_free(broker[name]):
            raise BrokerError(f"port {broker[name]} of the private RabbitMQ is taken by another program")


def _run(
    folder: Path, environment: dict[str, str], broker: dict[str, Any], lock: int, signals: lifeline.Signals
) -> None:
    started = time.monotonic()
    epmd, vm = _start(folder, environment, broker, lock)
    ready, disk = False, Disk(folder)
    while not signals.wait(LOOK_SECONDS if ready else 0.05) & lifeline.STOPS:
        ended = lifeline.reap()
        if vm in ended:
            raise BrokerError(f"RabbitMQ ended by itself; why is written in {places.short(folder / 'log')}")
        if epmd in ended:
            raise BrokerError("epmd, by which RabbitMQ is found, was ended from outside, and RabbitMQ with it")
        if disk.has_room_again():
            raise BrokerError("its disk was full, after which RabbitMQ's queues take nothing until it starts anew")
        if not ready and node.answers(broker["port"]):
            ready = True
            screen.say(f"RabbitMQ is ready on 127.0.0.1:{broker['port']} after {time.monotonic() - started:.1f} s")
    if ready:
        _stop(vm, signals)


def _start(folder: Path, environment: dict[str, str], broker: dict[str, Any], lock: int) -> tuple[int, int]:
    """The VM would start an epmd of its own, as a daemon on every address; the one here it finds and uses."""
    epmd = ["epmd", "-port", str(broker["epmd_port"]), "-address", "127.0.0.1"]
    server = [environment["RABBITMQ_SCRIPTS_DIR"] + "/rabbitmq-server"]
    with (folder / "log" / "console.log").open("wb") as console:
        started = [
            subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                pass_fds=[lock],
                start_new_session=True,  # a terminal's Ctrl-C is for the starter alone
                # Not SIGTERM: the VM's orderly stop may hang, and what it has confirmed survives a kill.
                preexec_fn=lifeline.leave_with_parent(signal.SIGKILL),  # noqa: PLW1509 there are no threads here
            ).pid
            for command in (epmd, server)
        ]
    return started[0], started[1]


def _stop(vm: int, signals: lifeline.Signals) -> None:
    os.kill(vm, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while vm not in lifeline.reap() and (left := deadline - time.monotonic()) > 0:
        signals.wait(left)


if __name__ == "__main__":
    sys.exit(screen.run(main))
