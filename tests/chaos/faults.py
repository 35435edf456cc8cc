"""What the chaos test does to a stack: one function for each fault, which returns when the fault is over."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import pika.exceptions
import psycopg

from devstack import lifeline
from devstack import node as broker
from tests.chaos.database import Database
from tests.chaos.inject import crash_points
from tests.chaos.node import Node
from tests.chaos.proxy import Line, Proxies
from tests.chaos.rig import Rig
from workers.broker import OUTCOMES

BACK_SECONDS = 60.0
THERE_SECONDS = 5.0
DRAINED_SECONDS = 25.0  # the broker counts every five seconds
LINES: Sequence[Line] = ("drop", "reset", "black hole", "delay")


Found = TypeVar("Found")


class Missed(Exception):
    """What it was to be done to was away, for another fault."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may reach. `brief`: faults that last are short."""

    rig: Rig
    node: Node
    proxies: Proxies
    database: Database
    server: Any  # PostgreSQL's, or None
    brief: bool

    def last(self, random: Random, brief: tuple[float, float], else_: tuple[float, float]) -> None:
        """Lets the fault last."""
        time.sleep(random.uniform(*(brief if self.brief else else_)))


def kill_a_worker(scene: Scene, random: Random) -> str:
    return _kill(scene, random, ("worker",))


def kill_a_child(scene: Scene, random: Random) -> str:
    """A process in which a task runs; it is one below the worker's template."""
    pid = random.choice(sorted(_once_there(lambda: _children_of_templates(scene))))
    _send(pid, signal.SIGKILL)
    return str(pid)


def kill_the_sink(scene: Scene, random: Random) -> str:
    return _kill(scene, random, ("sink",))


def kill_the_relay(scene: Scene, random: Random) -> str:
    return _kill(scene, random, ("relay",))


def kill_the_web(scene: Scene, random: Random) -> str:
    return _kill(scene, random, ("web",))


def stop_the_web_for_a_while(scene: Scene, random: Random) -> str:
    scene.rig.stop("web")
    scene.last(random, (2, 3), (2, 30))
    scene.rig.start_part(scene.rig.parts["web"])
    return ""


def kill_the_broker(scene: Scene, random: Random) -> str:
    """The launcher, the VM goes with it; or the VM alone."""
    pids = _once_there(scene.node.pids)
    for pid in random.choice([pids[:1], pids[1:]]):
        _send(pid, signal.SIGKILL)
    _until_broker_is_back(scene, pids)
    return str(pids)


def stop_in_order(scene: Scene, random: Random) -> str:
    return _kill(scene, random, ("worker", "sink", "relay", "web"), signal.SIGTERM)


def suspend(scene: Scene, random: Random) -> str:
    """A process with all below it, as when its host sleeps."""
    part = random.choice([part for part in scene.rig.parts.values() if part.role in ("worker", "sink", "relay")])
    with _stopped(_tree(_once_there(part.pid))):
        scene.last(random, (2, 6), (3, 45))
    return part.name


def suspend_the_broker(scene: Scene, random: Random) -> str:
    with _stopped(_once_there(scene.node.pids)):
        scene.last(random, (27, 27), (27, 90))  # pika lets 25 s pass without a sign of life
    return ""


def spoil_a_line(scene: Scene, random: Random) -> str:
    """One or some of the lines to the broker."""
    names = random.sample(sorted(scene.proxies.ports), random.choice([1, 1, 2, len(scene.proxies.ports)]))
    line = random.choice(LINES)
    for name in names:
        scene.proxies.set(name, line)
    scene.last(random, (1, 4), (2, 30))
    for name in names:
        scene.proxies.set(name, "good")
    return f"{line} for {', '.join(names)}"


def cut_off_the_relay(scene: Scene, random: Random) -> str:
    """What it sends goes nowhere for a while, and then its connection breaks."""
    scene.proxies.set("relay", "black hole")
    time.sleep(random.uniform(2, 3))
    scene.proxies.set("relay", "reset")
    scene.proxies.set("relay", "good")
    return ""


def spoil_the_database(scene: Scene, random: Random) -> str:
    if scene.server is None:
        return _hold_the_write_lock(scene, random)
    if random.random() < 0.5:
        scene.server.stop()
        scene.server.ensure_postgres_running()
        return "restarted"
    with psycopg.connect(scene.database.url, autocommit=True) as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchall()
        own = connection.info.backend_pid
    for pid in random.sample(sorted(pid for (pid,) in found if pid != own), min(1, len(found) - 1)):
        _send(pid, signal.SIGKILL)
    return "killed one of its processes, whereupon it restarts them all"


def raise_an_alarm(scene: Scene, random: Random) -> str:
    try:
        scene.node.alarm(memory=True)
        scene.last(random, (3, 5), (5, 20))
    except subprocess.SubprocessError:
        raise Missed("the broker was away") from None
    finally:
        _end_the_alarm(scene)
    return ""


def kill_workers_under_an_alarm(scene: Scene, random: Random) -> str:
    """When they have done what they had, and cannot say so."""
    scene.node.alarm(memory=True)
    time.sleep(random.uniform(2, 3))
    killed = [scene.rig.kill(part.name) for part in scene.rig.parts.values() if part.role == "worker"]
    _end_the_alarm(scene)
    return str(killed)


def run_out_of_memory(scene: Scene, random: Random) -> str:
    """As it happens: there is room again when what waits in the broker has been taken out of it, and not before."""
    scene.rig.stop("web")
    time.sleep(random.uniform(2, 3))  # outcomes pile up meanwhile
    scene.node.alarm(memory=True)
    scene.rig.start_part(scene.rig.parts["web"])
    deadline = time.monotonic() + DRAINED_SECONDS
    while waiting := scene.node.holds(OUTCOMES):
        if time.monotonic() > deadline:
            return f"for good, with {waiting} outcomes in the broker"
        time.sleep(0.5)
    _end_the_alarm(scene)
    return ""


def spoil_the_queue(scene: Scene, random: Random) -> str:
    what = random.choice([scene.node.purge, scene.node.delete, scene.node.unbind])
    try:
        what()
    except (pika.exceptions.AMQPError, OSError) as error:
        raise Missed(f"{what.__name__} was not possible: {error!r:.100}") from None
    return what.__name__


def unbind_the_queue(scene: Scene, random: Random) -> str:
    scene.node.unbind()
    return ""


def kill_everything(scene: Scene, random: Random) -> str:
    scene.rig.kill_everything()
    for part in scene.rig.parts.values():
        scene.rig.start_part(part)
    _until_broker_is_back(scene, [])
    return ""


Do = Callable[[Scene, Random], str]


def _kill(scene: Scene, random: Random, roles: Sequence[str], with_signal: signal.Signals = signal.SIGKILL) -> str:
    part = random.choice([part for part in scene.rig.parts.values() if part.role in roles])
    pid = _once_there(part.pid)
    _send(pid, with_signal)
    return f"{part.name}, process {pid}"


def _once_there(look: Callable[[], Found | None]) -> Found:
    """What is found, perhaps only when its keeper has started it again. Raises Missed."""
    deadline = time.monotonic() + THERE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise Missed("it was not there")
        time.sleep(0.1)
    return found


def _children_of_templates(scene: Scene) -> list[int]:
    workers = [part.pid() for part in scene.rig.parts.values() if part.role == "worker"]
    templates = [pid for worker in workers if worker for pid in lifeline.children_of(worker)]
    return [pid for template in templates for pid in lifeline.children_of(template)]


def _send(pid: int, with_signal: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, with_signal)


@contextlib.contextmanager
def _stopped(pids: Sequence[int]) -> Iterator[None]:
    for pid in pids:
        _send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            _send(pid, signal.SIGCONT)


def _tree(pid: int) -> list[int]:
    return [pid, *(below for child in lifeline.children_of(pid) for below in _tree(child))]


def crash_at(point: str, scene: Scene, random: Random) -> str:
    """Returns when a process has passed the point and is gone."""
    folder = str(scene.rig.var)
    crash_points.arm(folder, point, random.randint(1, 3), random.random())
    deadline = time.monotonic() + BACK_SECONDS
    while not crash_points.has_crashed(folder):
        if time.monotonic() > deadline:
            raise Missed("it was not passed")
        time.sleep(0.05)
    return ""


def _until_broker_is_back(scene: Scene, pids: Sequence[int]) -> None:
    deadline = time.monotonic() + BACK_SECONDS
    while any(map(lifeline.is_alive, pids)):
        time.sleep(0.02)
    while not broker.answers(scene.rig.broker_port) and time.monotonic() < deadline:
        time.sleep(0.1)


def _end_the_alarm(scene: Scene) -> None:
    """A node that was started meanwhile has none."""
    with contextlib.suppress(subprocess.SubprocessError, AssertionError):
        scene.node.alarm(memory=False)


def _hold_the_write_lock(scene: Scene, random: Random) -> str:
    with contextlib.closing(sqlite3.connect(scene.database.path, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        scene.last(random, (2, 5), (5, 25))
        connection.execute("ROLLBACK")
    return "held SQLite's write lock"
