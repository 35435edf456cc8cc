"""Processes that end together, by kill -9 of real ones."""

import signal

from devstack import lifeline
from tests.devstack.conftest import Checkout, line_of
from tests.fixtures.processes import eventually

START = "import os, signal, subprocess, sys, time; from devstack import lifeline"
SLEEPER = "['sleep', '300']"


def test_a_child_leaves_when_its_parent_is_killed(checkout: Checkout) -> None:
    parent = checkout.start(
        START,
        f"child = subprocess.Popen({SLEEPER}, preexec_fn=lifeline.leave_with_parent(signal.SIGTERM))",
        "print(child.pid, flush=True); input()",
    )
    child = int(line_of(parent))
    assert lifeline.is_alive(child)

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    eventually(lambda: not lifeline.is_alive(child))


def test_orphans_are_adopted_and_ended(checkout: Checkout) -> None:
    done = checkout.run(
        START,
        "lifeline.adopt_orphans()",
        # A daemon: its parent ends at once, and it is in a session of its own.
        "subprocess.run(['sh', '-c', 'setsid sleep 300 > /dev/null 2>&1 & echo $!'])",
        "sys.stdout.flush()",
        "lifeline.end_descendants()",
        "print(lifeline.children_of(os.getpid()))",
    )

    daemon, left = done.stdout.splitlines()
    assert left == "[]"
    assert not lifeline.is_alive(int(daemon))


def test_only_orphans_are_reaped_so_that_the_own_child_keeps_its_exit_code(checkout: Checkout) -> None:
    done = checkout.run(
        START,
        "lifeline.adopt_orphans()",
        "own = subprocess.Popen(['sh', '-c', '(exit 3) & exit 7'])",
        "deadline = time.monotonic() + 120",
        "while lifeline.is_alive(own.pid) and time.monotonic() < deadline: time.sleep(0.01)",
        "lifeline.reap_orphans(own.pid)",
        "print(own.poll(), [pid for pid in lifeline.children_of(os.getpid()) if pid != own.pid])",
    )

    assert done.stdout == "7 []\n", done.stderr


def test_signals_are_waited_for_with_a_limit(checkout: Checkout) -> None:
    done = checkout.run(
        START,
        "signals = lifeline.Signals({signal.SIGTERM, signal.SIGCHLD})",
        "print(signals.wait(0.01))",
        "os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGCHLD)",
        "print(signals.wait(120) == {signal.SIGTERM, signal.SIGCHLD})",
    )

    assert done.stdout == "set()\nTrue\n", done.stderr


def test_ancestors_come_parent_first(checkout: Checkout) -> None:
    done = checkout.run(START, "print(lifeline.ancestors()[0] == os.getppid(), lifeline.ancestors()[-1])")

    assert done.stdout == "True 1\n"


def test_a_zombie_is_not_alive(checkout: Checkout) -> None:
    done = checkout.run(
        START,
        "child = os.fork() or os._exit(0)",
        "deadline = time.monotonic() + 120",
        "while lifeline.is_alive(child) and time.monotonic() < deadline: time.sleep(0.01)",
        "print(lifeline.is_alive(child), os.waitpid(child, 0)[0] == child)",
    )

    assert done.stdout == "False True\n"
