"""One peer's run: its workers are started, it is given work in each way that it has, and stopped again."""

from __future__ import annotations

import argparse
import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import usage
from tests.benchmarks.peers.environment import PYTHON
from tests.benchmarks.peers.servers import ROOT, fresh_millrace

WAYS = ("bulk", "one by one")
HERE = Path(__file__).parent
ORDER = (
    "celery", "dramatiq", "millrace", "huey", "rq", "procrastinate", "taskiq", "django_q", "django_tasks",
)  # fmt: skip
MICRO = 1_000_000
START_SECONDS, RUN_SECONDS, STOP_SECONDS = 60, 180, 20


@dataclass(frozen=True)
class Contender:
    adapter: str
    setting: str
    gives_up: str
    tasks: int
    bulk_tasks: int

    @property
    def name(self) -> str:
        return f"{self.adapter}:{self.setting}" if self.setting else self.adapter

    @property
    def is_ours(self) -> bool:
        return self.adapter == "millrace"


@dataclass
class Result:
    """Of one round. `rates`, `cpu`: by way; microseconds a task by role."""

    rates: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, dict[str, float]] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    error: str = ""

    def line(self) -> str:
        return self.error or ", ".join(f"{way} {rate:,.0f}/s" for way, rate in self.rates.items())


def contenders(only: str) -> list[Contender]:
    wanted = only.split(",")
    found = [each for adapter in ORDER for each in _settings_of(adapter)]
    return [each for each in found if only == "all" or {each.name, each.adapter} & set(wanted)]


def run(
    each: Contender, options: argparse.Namespace, folder: Path, addresses: Mapping[str, str], pids: usage.Roles
) -> Result:
    environment = _environment(each, options.slots, folder, addresses)
    result = Result()
    with (folder / "log").open("ab") as log:
        try:
            with _at_work(each, environment, log) as (workers, producer, watcher):
                roles = {"workers": workers, "producer": [producer.pid], **pids}
                result.rates, result.cpu = _rates(_counts(each, options), producer, watcher, roles)
                time.sleep(1)
                result.latencies = producer.ask("latency", n=options.samples)["latencies"]
        except (RuntimeError, subprocess.SubprocessError) as error:
            result.error = f"{error!r:.300}; see its log: {(folder / 'log').read_text()[-1500:]}"
    return result


def _counts(each: Contender, options: argparse.Namespace) -> dict[str, int]:
    if options.tasks:
        return {"bulk": options.tasks * 5, "one by one": options.tasks}
    return {"bulk": each.bulk_tasks, "one by one": each.tasks}


def _rates(
    counts: Mapping[str, int], producer: _Agent, watcher: _Agent, roles: usage.Roles
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """By way: tasks a second, microseconds of CPU a task by role."""
    rates: dict[str, float] = {}
    cpu: dict[str, dict[str, float]] = {}
    for way, count in counts.items():
        before, used = watcher.ask("count")["count"], usage.cpu_seconds(roles)
        asked = producer.ask("produce", n=count, way=way)
        ended = watcher.ask("wait", n=before + count, seconds=RUN_SECONDS)["at"]
        rates[way] = count / (ended - asked["started"])
        cpu[way] = {role: seconds / count * MICRO for role, seconds in usage.since(used, roles).items()}
    return rates, cpu


def _settings_of(adapter: str) -> Iterator[Contender]:
    """Read, not imported: most need packages that are elsewhere."""
    tree = ast.parse((HERE / "adapters" / f"{adapter}.py").read_text())
    told: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            try:
                told[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    for setting, gives_up in told["SETTINGS"].items():
        yield Contender(adapter, setting, gives_up, told["TASKS"], told.get("BULK_TASKS", told["TASKS"]))


def _environment(each: Contender, slots: int, folder: Path, addresses: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "MILLRACE_"))}
    kept.pop("DATABASE_URL", None)
    shared = {**kept, **addresses, "PEERS_SETTING": each.setting, "PEERS_SLOTS": str(slots), "PEERS_HOME": str(folder)}
    if not each.is_ours:
        return {**shared, "PYTHONPATH": str(ROOT)}
    from devstack import credentials

    place = {"MILLRACE_VAR": str(folder / "var"), "PEERS_PORT": str(credentials.free_port())}
    return {**shared, **fresh_millrace(each.setting), **place, "PYTHONPATH": f"{ROOT}:{ROOT / 'site'}"}


@contextmanager
def _at_work(each: Contender, environment: dict[str, str], log: Any) -> Iterator[tuple[list[int], _Agent, _Agent]]:
    python = sys.executable if each.is_ours else str(PYTHON)
    agents: list[_Agent] = []
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for command in _commands(each, environment, python, "prepare"):
            django = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.peers.django_settings"}
            subprocess.run(command, env={**environment, **django}, cwd=ROOT, stdout=log, stderr=log, check=True)
        commands = _commands(each, environment, python, "workers")
        workers += [subprocess.Popen(one, env=environment, cwd=ROOT, stdout=log, stderr=log) for one in commands]
        agents += [_Agent(python, each.adapter, environment, log) for _ in range(2)]
        producer, watcher = agents
        producer.ask("connect")
        watcher.ask("wait", n=1, seconds=START_SECONDS)
        yield [worker.pid for worker in workers], producer, watcher
    finally:
        for agent in agents:
            agent.close()
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            try:
                worker.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()


def _commands(each: Contender, environment: dict[str, str], python: str, which: str) -> list[list[str]]:
    """What the adapter, asked in its own environment, says is to be run."""
    asked = (
        "import importlib, json, sys; sys.stdout = sys.stderr;"
        f" adapter = importlib.import_module('tests.benchmarks.peers.adapters.{each.adapter}');"
        f" sys.__stdout__.write(json.dumps(getattr(adapter, '{which}', list)()))"
    )
    answer = subprocess.run(
        [python, "-c", asked], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(answer.stderr[-1000:])
    commands: list[list[str]] = json.loads(answer.stdout)
    return commands


class _Agent:
    def __init__(self, python: str, adapter: str, environment: dict[str, str], log: Any) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "tests.benchmarks.peers.agent", adapter],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self.pid = self._process.pid

    def ask(self, what: str, **details: Any) -> dict[str, Any]:
        """Raises RuntimeError with what went wrong."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": what, **details}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
