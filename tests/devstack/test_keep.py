"""The keeper with a shell's few lines in the place of a worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from devstack import credentials, keep, lifeline, places
from tests.fixtures.processes import eventually

COUNT_STOPS = """
import signal, time
def stop(*_): print("asked to stop", flush=True)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
signal.pause()
time.sleep(0.3)
"""


class Kept:
    """A process under a keeper; each start of it writes its number and time to `starts`."""

    def __init__(self, var: Path, *command: str, role: str, under: str) -> None:
        self._log = var / f"keeper-{time.monotonic_ns()}.log"
        self._starts = var / "starts"
        keeper = [sys.executable, "-m", "devstack.keep", role, "--", *command]
        environment = {**os.environ, "PYTHONPATH": str(places.ROOT / "site"), "MILLRACE_VAR": str(var)}
        with self._log.open("wb") as log:
            self.starter = subprocess.Popen(
                ["sh", "-c", f'{under} "$@"', "sh", *keeper],
                env={**environment, "STARTS": str(self._starts)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def pids(self) -> list[int]:
        return [int(line.split()[0]) for line in self._lines()]

    @property
    def times(self) -> list[float]:
        return [float(line.split()[1]) for line in self._lines()]

    def _lines(self) -> list[str]:
        return self._starts.read_text().splitlines() if self._starts.exists() else []


@pytest.fixture
def keep_running(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    """`keep_running("sh", "-c", "...")`; NOTE in a script writes down that it was started."""
    credentials.ensure(tmp_path)
    started: list[Kept] = []

    def start(*command: str, role: str = "worker", under: str = "exec") -> Kept:
        started.append(Kept(tmp_path, *command, role=role, under=under))
        return started[-1]

    yield start
    for kept in started:
        kept.starter.terminate()
    for kept in started:
        kept.starter.wait(120)
        sys.stdout.write(kept.said)
        eventually(lambda kept=kept: not any(map(lifeline.is_alive, kept.pids)))  # type: ignore[misc]


NOTE = "echo $$ $(date +%s.%N) >> $STARTS"


def test_a_killed_process_is_back_at_once(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running("sh", "-c", f"{NOTE}; exec sleep 60")
    eventually(lambda: len(kept.pids) == 1)
    os.kill(kept.pids[0], signal.SIGKILL)
    eventually(lambda: len(kept.pids) == 2)
    assert "worker was ended by SIGKILL; starting it again in 0.2 s\n" in kept.said


def test_what_a_killed_process_leaves_behind_is_ended_first(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running("sh", "-c", f"setsid sleep 60 & echo $! $(date +%s.%N) >> $STARTS; {NOTE}; wait")
    eventually(lambda: len(kept.pids) == 2)
    child, process = kept.pids
    os.kill(process, signal.SIGKILL)
    eventually(lambda: len(kept.pids) == 4)
    assert not lifeline.is_alive(child)


def test_one_that_goes_on_failing_is_given_more_and_more_time(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running("sh", "-c", f"{NOTE}; setsid sleep 60 & exit 1")
    eventually(lambda: len(kept.times) == 4)
    gaps = [after - before for before, after in pairwise(kept.times)]
    assert all(gap >= pause for gap, pause in zip(gaps, keep.PAUSES, strict=False)), gaps
    assert "worker failed with exit code 1; starting it again in 0.5 s\n" in kept.said


def test_a_wrong_setting_at_the_first_start_is_not_tried_again(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running("sh", "-c", "echo error: no such module; exit 2")
    assert kept.starter.wait() == 2
    assert kept.said == "error: no such module\n"


def test_a_setting_that_has_gone_wrong_is_not_tried_again_at_once(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running("sh", "-c", f"[ -e $STARTS ]; again=$?; {NOTE}; [ $again = 0 ] && exit 2")
    eventually(lambda: "worker failed with exit code 2; starting it again in 10 s\n" in kept.said)
    kept.starter.terminate()
    assert kept.starter.wait() == 0
    assert len(kept.pids) == 2


def test_it_asks_to_stop_once_and_waits_for_the_end(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running(sys.executable, "-c", COUNT_STOPS)
    eventually(lambda: "ready" in kept.said)
    os.killpg(kept.starter.pid, signal.SIGINT)  # a terminal's Ctrl-C goes to the whole group
    os.killpg(kept.starter.pid, signal.SIGTERM)
    assert kept.starter.wait(120) == 0
    assert kept.said == "ready\nasked to stop\n"


def test_it_leaves_with_whoever_started_it(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running("sh", "-c", f"{NOTE}; exec sleep 60", under=':; "$@"; :')
    eventually(lambda: len(kept.pids) == 1)
    (keeper,) = lifeline.children_of(kept.starter.pid)
    kept.starter.kill()
    kept.starter.wait()
    eventually(lambda: not lifeline.is_alive(keeper) and not lifeline.is_alive(kept.pids[0]))


def test_its_process_leaves_with_it(keep_running: Callable[..., Kept]) -> None:
    kept = keep_running("sh", "-c", f"{NOTE}; exec sleep 60")
    eventually(lambda: len(kept.pids) == 1)
    kept.starter.kill()
    eventually(lambda: not lifeline.is_alive(kept.pids[0]))


def test_a_second_relay_is_refused_in_one_line_while_more_workers_are_welcome(
    keep_running: Callable[..., Kept],
) -> None:
    first, *_ = [keep_running("sh", "-c", f"{NOTE}; exec sleep 60", role=role) for role in ("relay", "worker")]
    eventually(lambda: len(first.pids) == 2)

    keep_running("sh", "-c", f"{NOTE}; exec sleep 60")
    second = keep_running("sh", "-c", f"{NOTE}; exec sleep 60", role="relay")

    assert second.starter.wait() == 2
    assert second.said.startswith("error: a relay already runs on ")
    assert second.said.count("\n") == 1
    eventually(lambda: len(first.pids) == 3)


def test_the_broker_is_the_last_to_go(keep_running: Callable[..., Kept], tmp_path: Path) -> None:
    until_asked = "trap 'echo {role} >> $STARTS.ends; exit' TERM; {note}; sleep 60 & wait"
    broker, worker = (
        keep_running("sh", "-c", until_asked.format(role=role, note=NOTE), role=role) for role in ("broker", "worker")
    )
    eventually(lambda: len(worker.pids) == 2)

    broker.starter.terminate()
    worker.starter.terminate()

    assert (worker.starter.wait(), broker.starter.wait()) == (0, 0)
    assert (tmp_path / "starts.ends").read_text() == "worker\nbroker\n"


@pytest.mark.parametrize("arguments", [[], ["worker"], ["worker", "sleep", "60"], ["cook", "--", "sleep", "60"]])
def test_a_wrong_call_says_how(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack.keep", *arguments],
        env={"PYTHONPATH": str(places.ROOT / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "error: usage: python -m devstack.keep {broker|web|relay|worker|sink} -- command ...\n"


def test_the_next_start_shows_the_token_that_stands_there_then(
    keep_running: Callable[..., Kept], tmp_path: Path
) -> None:
    kept = keep_running("sh", "-c", f"echo shows $MILLRACE_TOKEN; {NOTE}; exec sleep 60")
    eventually(lambda: len(kept.pids) == 1)
    credentials.put_token(tmp_path, "worker", "mrw_another")
    os.kill(kept.pids[0], signal.SIGKILL)
    eventually(lambda: "shows mrw_another\n" in kept.said)
