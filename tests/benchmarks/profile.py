"""Where the time of each process goes under load: `python -m tests.benchmarks.profile [--way createTask]`.

Samples web, relay, sink, a worker and one of its children with py-spy while tasks are created, run and recorded; the
share of the samples in which a process was not waiting, for the functions of the project and of what it stands on. A
function's share holds those of what it calls. Sampling slows everything down: shares are told, no times.
"""

import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.benchmarks import report, usage
from tests.benchmarks.bench import create_many, rate, running
from tests.benchmarks.flow import WAYS
from tests.benchmarks.peers.environment import FOLDER, ensure

SHOWN = 20
NEARLY_ALL = 90  # percent: how a process comes to its work tells nothing
# Innermost frames of a thread that waits.
WAITING = re.compile(r"^(_worker|select|wait|poll|accept|recv|receive|readinto) \(")
FRAME = re.compile(r"^(?P<function>.+) \((?P<file>[^:]+?)(:\d+)?\)$")
# What every stack has: how a process begins.
BEGINS = re.compile(r"^(run|_run|main|<module>|_bootstrap\w*|_run_\w+|run_\w+|_serve|serve|__call__|inner|_worker)$")


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--way", choices=list(WAYS), default="createTasks")
    parser.add_argument("--tasks", type=int, default=10_000)
    options = parser.parse_args()
    ensure()
    with tempfile.TemporaryDirectory(prefix="millrace-profile-") as folder:
        with running(options.database, 2) as (stack, ask):
            rate(ask, 2_000, lambda: create_many(stack, 2_000))
            spies = {name: _spy(pid, Path(folder, name)) for name, pid in _processes(stack, options.database).items()}
            time.sleep(2)
            rate(ask, options.tasks, lambda: WAYS[options.way](stack, options.tasks))
            for spy in spies.values():
                spy.send_signal(signal.SIGINT)
                spy.wait(60)
        told = report.Report("profile", options)
        for name in spies:
            _tell(told, name, Path(folder, name).read_text())
    told.save()


def _processes(stack: Any, database: str) -> dict[str, int]:
    """Those that work: gunicorn's and the template's are children of what is started."""
    roles = usage.roles_of(stack, database)
    found = {name: usage.tree(roles[name][0])[-1] for name in ("web", "relay", "sink")}
    worker, *below = usage.tree(roles["worker"][0])
    return {**found, "worker": worker, "worker's child": below[-1]}


def _spy(pid: int, file: Path) -> "subprocess.Popen[bytes]":
    command: list[str | Path] = [
        FOLDER / "bin" / "py-spy",
        "record",
        "--pid",
        str(pid),
        "--format",
        "raw",
        "--rate",
        "200",
    ]
    return subprocess.Popen([*command, "--output", file, "--duration", "600"], stdout=subprocess.DEVNULL)


def _tell(told: report.Report, name: str, stacks: str) -> None:
    inclusive: Counter[str] = Counter()
    busy = 0
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        names = [_named(frame) for frame in frames.split(";")]
        if WAITING.match(names[-1]):
            continue
        busy += int(count)
        inclusive.update(dict.fromkeys((each for each in names if not BEGINS.match(each.split(" ")[0])), int(count)))
    told.table(f"{name}: {busy:,} samples at work", "function", "percent")
    shares = [(function, count / busy * 100) for function, count in inclusive.most_common()]
    for function, share in [each for each in shares if each[1] < NEARLY_ALL][:SHOWN]:
        told.row(function, share)


def _named(frame: str) -> str:
    found = FRAME.match(frame)
    return f"{found['function'].rpartition('.')[2]} ({found['file']})" if found else frame


if __name__ == "__main__":
    main()
