"""A cluster that loses nodes under load: `python -m tests.cluster.trial` prints how long nothing could be published.

Starts three RabbitMQ nodes and a stack of its own (SQLite, three workers) and creates a task every 50 ms all the while.
One after the other the leader of the tasks' queue is killed, each node is killed and comes back, and each node is
parted from the others and comes back. In the end every task must have finished, once.
"""

import itertools
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cluster.cluster import NODES, Cluster

CREATE = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { number } userErrors { message } } }"
TASK = {"name": "under load", "kind": "demo.coin", "params": {"failure_rate": 0, "seconds": 0.02}}
QUEUE = "millrace.tasks.default"
PAUSE_SECONDS = 0.05


@dataclass
class Trial:
    """A stack on a cluster. `created`: the numbers of the tasks that were answered for."""

    cluster: Cluster
    stack: Any
    created: list[int] = field(default_factory=list)
    faults: list[tuple[str, datetime]] = field(default_factory=list)

    @contextmanager
    def load(self) -> Iterator[None]:
        stopped = threading.Event()
        thread = threading.Thread(target=self._create_until, args=[stopped])
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def fault(self, name: str, strike: Callable[[], None]) -> None:
        """Strikes, and waits until tasks that were created afterwards have finished all the same."""
        self.faults.append((name, datetime.now(UTC)))
        strike()
        self.wait_for_new_ones()

    def wait_for_new_ones(self, timeout_seconds: float = 60) -> None:
        last = self.created[-1] if self.created else 0
        _until(lambda: self._count(f"status = 'FINISHED' AND id > {last}") >= 20, timeout_seconds)

    def wait_for_all(self, timeout_seconds: float = 120) -> None:
        _until(lambda: not self._count("status IN ('QUEUEING', 'RUNNING')"), timeout_seconds)

    def lost(self) -> int:
        """How many that were answered for have not finished."""
        return len(self.created) - self._count("status = 'FINISHED'")

    def recorded_otherwise(self) -> int:
        """How many tasks have not exactly one attempt that has finished."""
        once = "SELECT task_id FROM tasks_attempt GROUP BY task_id HAVING count(*) = 1 AND max(status) = 'FINISHED'"
        return self._count(f"id NOT IN ({once})")

    def gaps(self) -> list[tuple[str, float]]:
        """After each fault, the longest time in which nothing was handed over: seconds."""
        rows = self._read("SELECT handed_at FROM tasks_task WHERE handed_at IS NOT NULL ORDER BY handed_at")
        times = [datetime.fromisoformat(at).replace(tzinfo=UTC) for (at,) in rows]
        ends = [at for _, at in self.faults[1:]] + [datetime.now(UTC)]
        found = []
        for (name, begins), ends_at in zip(self.faults, ends, strict=True):
            moments = [begins, *(at for at in times if begins <= at < ends_at)]
            gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(moments)]
            found.append((name, max(gaps, default=0.0)))
        return found

    def _create_until(self, stopped: threading.Event) -> None:
        while not stopped.wait(PAUSE_SECONDS):
            payload = self.stack.call(CREATE, input=TASK)["createTask"]
            assert payload["userErrors"] == []
            self.created.append(payload["task"]["number"])

    def _count(self, condition: str) -> int:
        [(count,)] = self._read(f"SELECT count(*) FROM tasks_task WHERE {condition}")
        return int(count)

    def _read(self, question: str) -> list[Any]:
        database = f"file:{self.stack.var / 'millrace.sqlite3'}?mode=ro"
        with sqlite3.connect(database, uri=True, timeout=20) as connection:
            return connection.execute(question).fetchall()


@contextmanager
def running(folder: Path) -> Iterator[Trial]:
    from tests.fixtures.stack import Stack

    cluster = Cluster(folder / "cluster")
    cluster.start()
    try:
        var = folder / "var"
        var.mkdir(mode=0o700)
        stack = Stack(var, workers=3, broker_url=cluster.url)
        stack.start()
        try:
            yield Trial(cluster, stack)
        finally:
            stack.stop()
    finally:
        cluster.stop()


def lose_nodes(trial: Trial) -> None:
    """The whole course of faults."""
    cluster = trial.cluster
    trial.wait_for_new_ones()
    leader = cluster.leader(QUEUE)
    trial.fault("leader killed", lambda: cluster.kill(leader))
    cluster.start_node(leader)
    cluster.wait_for(leader)
    for number in range(NODES):
        trial.fault(f"node {number} killed", lambda number=number: cluster.kill(number))  # type: ignore[misc]
        cluster.start_node(number)
        cluster.wait_for(number)
        trial.wait_for_new_ones()
    for number in range(NODES):
        trial.fault(f"node {number} cut off", lambda number=number: cluster.cut_off(number))  # type: ignore[misc]
        cluster.heal(number)
        cluster.wait_for(number)
        trial.wait_for_new_ones()


def _until(check: Callable[[], object], timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_seconds:.0f} s")
        time.sleep(0.1)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    with tempfile.TemporaryDirectory(prefix="millrace-cluster-") as folder, running(Path(folder)) as trial:
        with trial.load():
            lose_nodes(trial)
        trial.wait_for_all()
        for name, seconds in trial.gaps():
            print(f"{name}: nothing handed over for {seconds:.1f} s at the longest")
        longest = max(seconds for _, seconds in trial.gaps())
        print(
            f"tasks {len(trial.created)} | lost {trial.lost()} | faults {len(trial.faults)} | longest {longest:.1f} s"
        )
        return 1 if trial.lost() else 0


if __name__ == "__main__":
    sys.exit(main())
