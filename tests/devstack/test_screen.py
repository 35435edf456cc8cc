"""What a person sees: in a terminal, in a pipe, in a pipe that nobody reads."""

import os
import pty
import re
import subprocess
import sys

from tests.devstack.conftest import Checkout

START = "import sys, time; from devstack import screen; from devstack.screen import Stop, say, step"


def test_a_step_is_one_line_with_its_time(checkout: Checkout) -> None:
    done = checkout.run(START, "with step('Python packages'): time.sleep(0.11)")

    assert re.fullmatch(r"Python packages \.\.\. \d\.\d s\n", done.stdout)


def test_a_line_said_within_a_step_stands_alone(checkout: Checkout) -> None:
    done = checkout.run(START, "with step('Starting everything'): say('error: no')")

    assert re.fullmatch(r"Starting everything \.\.\.\nerror: no\nStarting everything \.\.\. \d\.\d s\n", done.stdout)


def test_a_terminal_of_40_columns_sees_the_seconds_counted_in_place(checkout: Checkout) -> None:
    shown = _in_a_terminal(checkout, START, "with step('Python packages and tools'): time.sleep(1.2)")

    step = r"Python packages and tools \.\.\."
    assert re.fullmatch(rf"{step}(\r{step} \d s\r{step})+ \d\.\d s\r\n", shown), shown
    assert all(len(part) <= 40 for part in shown.split("\r"))


def test_a_refusal_is_one_line_and_its_exit_code(checkout: Checkout) -> None:
    done = checkout.run(START, "def main():", "  raise Stop('no such folder', code=2)", "sys.exit(screen.run(main))")

    assert (done.returncode, done.stdout, done.stderr) == (2, "", "error: no such folder\n")


def test_a_refusal_within_a_step_begins_a_new_line(checkout: Checkout) -> None:
    done = checkout.run(
        START, "def main():", "  with step('Database'): raise Stop('it is away')", "sys.exit(screen.run(main))"
    )

    assert (done.returncode, done.stdout, done.stderr) == (1, "Database ...\n", "error: it is away\n")


def test_what_the_system_refuses_is_one_line_with_the_path(checkout: Checkout) -> None:
    done = checkout.run(START, "sys.exit(screen.run(lambda: open('/nowhere/at/all')))")

    assert (done.returncode, done.stderr) == (1, "error: /nowhere/at/all: no such file or directory\n")


def test_a_reader_that_goes_away_is_no_error(checkout: Checkout) -> None:
    process = checkout.start(START, "for n in range(99_999): say(str(n))", "print('on', file=sys.stderr)")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr.read() == "on\n"
    assert process.wait() == 0


def test_ctrl_c_leaves_no_traceback(checkout: Checkout) -> None:
    done = checkout.run(START, "def main(): raise KeyboardInterrupt", "sys.exit(screen.run(main))")

    assert (done.returncode, done.stderr) == (130, "")


def _in_a_terminal(checkout: Checkout, *script: str) -> str:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-c", "\n".join(script)],
            env={"PYTHONPATH": str(checkout.root / "site")},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        try:
            while part := terminal.read1():
                shown += part
        except OSError:  # how Linux says that the other side has closed
            pass
        process.wait()
    return shown.decode()
