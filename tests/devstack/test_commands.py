"""The programs that a set-up runs."""

import signal

import pytest

from devstack import commands, lifeline
from tests.devstack.conftest import Checkout, line_of
from tests.fixtures.processes import eventually


def test_what_a_program_prints_is_the_answer() -> None:
    assert commands.run("echo", "yes") == "yes\n"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("first\nthe disk is full\n\n", "the disk is full"),
        ("Traceback:\n  somewhere\ndjango.db.utils.OperationalError: away\n\tIs it running?", "away"),
        ("error: no cache\n  cause: no home", "no cache"),
        ("ERROR: no such package", "no such package"),
        ("E: Unable to locate package x", "Unable to locate package x"),
        ("", "it failed with exit code 3 and no word"),
    ],
)
def test_a_failure_tells_the_programs_own_reason(said: str, reason: str) -> None:
    with pytest.raises(commands.CommandFailed) as failed:
        commands.run("sh", "-c", 'printf %s "$1" >&2; exit 3', "sh", said)

    assert failed.value.last_line == reason
    assert failed.value.code == 3
    assert str(failed.value) == said.strip()


def test_a_program_ends_with_the_set_up_that_runs_it(checkout: Checkout) -> None:
    setup = checkout.start(
        "from devstack import commands; from pathlib import Path",
        "program = commands.start('sleep', '300', cwd=Path('.'))",
        "print(program.pid, flush=True); input()",
    )
    program = int(line_of(setup))
    assert lifeline.is_alive(program)

    setup.send_signal(signal.SIGKILL)
    setup.wait()

    eventually(lambda: not lifeline.is_alive(program))
