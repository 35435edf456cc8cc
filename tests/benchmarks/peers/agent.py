"""Runs beside a peer, in its environment: `python -m tests.benchmarks.peers.agent ADAPTER`.

Obeys JSON on its standard input, a line each, and answers on its standard output. One gives work, another one watches.
"""

import importlib
import json
import os
import random
import sys
import time
import traceback
from typing import Any

LATE_SECONDS = 30
BULK = 1_000


class Agent:
    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._made: dict[str, Any] = {}

    def connect(self) -> dict[str, Any]:
        """And send one task: what is set up at the first one is not what is measured."""
        self._get("Producer").send(0)
        return {}

    def count(self) -> dict[str, Any]:
        return {"count": self._get("Watcher").count()}

    def produce(self, n: int, way: str) -> dict[str, Any]:
        """One by one also where the peer has no call for many."""
        producer, started = self._get("Producer"), time.monotonic()
        if way == "bulk" and hasattr(producer, "send_many"):
            for first in range(0, n, BULK):
                producer.send_many(range(first, min(n, first + BULK)))
        else:
            for number in range(n):
                producer.send(number)
        return {"started": started, "created": time.monotonic()}

    def wait(self, n: int, seconds: float) -> dict[str, Any]:
        """Until so many outcomes are stored."""
        watcher, end = self._get("Watcher"), time.monotonic() + seconds
        while (count := watcher.count()) < n:
            if time.monotonic() > end:
                return {"error": f"{count} of {n} outcomes"}
            time.sleep(0.02)
        return {"at": time.monotonic()}

    def latency(self, n: int) -> dict[str, Any]:
        """Milliseconds from the call that creates a task until its outcome can be read; idle in between."""
        return {"latencies": [self._latency() for _ in range(n)]}

    def _latency(self) -> float:
        producer, watcher = self._get("Producer"), self._get("Watcher")
        time.sleep(random.uniform(0.04, 0.08))  # so that it does not lock on to anybody's rhythm
        started = time.monotonic()
        sent = producer.send(1)
        while not watcher.is_done(sent):
            assert time.monotonic() < started + LATE_SECONDS, "no outcome"
            time.sleep(0.0003)
        return (time.monotonic() - started) * 1000

    def _get(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = getattr(self._adapter, name)()
        return self._made[name]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a peer prints is none
    agent = Agent(importlib.import_module(f"tests.benchmarks.peers.adapters.{sys.argv[1]}"))
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = getattr(agent, asked.pop("do"))(**asked)
        except Exception as error:  # noqa: BLE001 told, whatever it is, to who asks
            traceback.print_exc()
            answer = {"error": repr(error)}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
