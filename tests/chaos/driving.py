"""The chaos test as a process of its own, as a person starts it."""

import os
import signal
import subprocess
import sys

from devstack import lifeline, places

SECONDS = 400.0


def drive(*arguments: str) -> tuple[int, str]:
    """Its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *arguments],
        cwd=places.ROOT,
        env={**os.environ, "PYTHONPATH": f"{places.ROOT}:{places.ROOT / 'site'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=SECONDS,
        preexec_fn=lifeline.leave_with_parent(signal.SIGTERM),
    )
    print(done.stdout)
    return done.returncode, done.stdout
