"""What each step of one task costs by itself: `python -m tests.benchmarks.steps [--database postgresql]`.

Each step is done in a process with nothing else in it, without HTTP's server, RabbitMQ and workers: a `createTask` and
a `recordEvents` from the request to the answer, the relay's look and its mark; PostgreSQL does not wait for the disk.
With `--beside FOLDER`, another checkout that has its `.venv`, the same is done there in turns, so that whatever else
the machine does meets both: where times drift, only their ratio tells what a change brings.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

IN_A_TURN = 40
RECORD = "mutation($input: RecordEventsInput!) { recordEvents(input: $input) { verdicts } }"


def main() -> None:
    from tests.benchmarks import report
    from tests.benchmarks.bench import median

    parser = report.parser(__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--turns", type=int, default=10)
    options = parser.parse_args()
    folders = [folder for folder in (options.beside, Path.cwd()) if folder]
    doers = [_start(folder, options.database) for folder in folders]
    turns = [[_turn(doer) for doer in doers] for _ in range(options.turns + 1)][1:]  # the first one warms up
    for doer in doers:
        doer.stdin.close()
        doer.wait()
    told = report.Report("steps", options)
    told.table(f"One task alone, {options.database}: ms, medians", "step", *(str(folder) for folder in folders))
    for step in turns[0][0]:
        told.row(step, *(median([took for turn in turns for took in turn[at][step]]) for at in range(len(folders))))
    told.save()


def _start(folder: Path, database: str) -> Any:
    # -P: what lies beside this file has names of the standard library's.
    command: list[str | Path] = [folder / ".venv/bin/python", "-P", Path(__file__).resolve(), database]
    environment = {**os.environ, "PYTHONPATH": ".:site"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True)


def _turn(doer: Any) -> dict[str, list[float]]:
    print(file=doer.stdin, flush=True)
    found: dict[str, list[float]] = json.loads(doer.stdout.readline())
    return found


def _do(database: str) -> None:
    """A turn for each line: milliseconds by step, what passed and the CPU of this process."""
    from tests.benchmarks.rows import use_new_database

    with tempfile.TemporaryDirectory(prefix="millrace-steps-") as folder:
        use_new_database(database, Path(folder))
        steps = _steps()
        for _ in sys.stdin:
            found: dict[str, list[float]] = {}
            for _ in range(IN_A_TURN):
                for name, step in steps.items():
                    at, cpu = time.perf_counter(), time.thread_time()
                    step()
                    found.setdefault(name, []).append((time.perf_counter() - at) * 1000)
                    found.setdefault(f"{name}, CPU", []).append((time.thread_time() - cpu) * 1000)
            print(json.dumps(found), flush=True)


def _steps() -> dict[str, Callable[[], None]]:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from apps.accounts import tokens
    from apps.accounts.permissions import Scope
    from apps.relay import schedule
    from apps.tasks.models import Kind
    from tests.benchmarks.bench import CREATE_ONE, noop

    Kind.objects.create(name="demo.noop", announced_at=timezone.now())
    person = User.objects.create_superuser("sam")
    ask = _asker(tokens.make(user=person, scopes=[Scope.TASKS_WRITE])[1])
    tell = _asker(tokens.make(user=None, scopes=[Scope.SINK], name="sink")[1])
    looking, due = schedule.Schedule(), list[Any]()

    def create() -> None:
        assert ask(CREATE_ONE, noop(1))["createTask"]["task"]

    def look() -> None:
        due[:] = looking.look(500)

    def mark() -> None:
        schedule.mark_handed_over(due)
        looking._windows.clear()  # of a broker that holds nothing for long

    def record() -> None:
        outcome = {"type": "OUTCOME", "attempt": 1, "status": "FINISHED", "value": "1.0", "run_seconds": 0.0}
        batch = {"v": 1, "worker": "w", "events": [{**outcome, "task": due[0].task}]}
        assert tell(RECORD, {"batches": [batch]})["recordEvents"]["verdicts"] == ["APPLIED"]

    return {"create": create, "look": look, "mark": mark, "record": record}


def _asker(token: str) -> Callable[[str, Any], Any]:
    from django.test import Client

    from config.wsgi import application

    assert application
    client = Client(headers={"host": "localhost", "Authorization": f"Bearer {token}"})

    def ask(query: str, given: Any) -> Any:
        body = {"query": query, "variables": {"input": given}}
        return client.post("/graphql/", body, content_type="application/json").json()["data"]

    return ask


if __name__ == "__main__":
    _do(sys.argv[1]) if sys.argv[1:] in (["sqlite"], ["postgresql"]) else main()
