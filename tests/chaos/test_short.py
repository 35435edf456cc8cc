"""A short run with every fault there is; `python -m tests.chaos --help` tells of longer ones."""

import os

from tests.chaos.driving import drive

DATABASE = os.environ.get("MILLRACE_TEST_DATABASE", "sqlite")
SHORT = ("--tasks", "2000", "--seconds", "70", "--slots", "4", "--stretch", "0.1", "--faults", "short")


def test_2000_tasks_survive_every_fault() -> None:
    code, said = drive("--database", DATABASE, "--seed", "1", *SHORT)
    assert code == 0, said


def test_without_a_fault_nothing_is_run_twice() -> None:
    code, said = drive(
        "--database", DATABASE, "--tasks", "300", "--seconds", "5", "--stretch", "0.1", "--faults", "none"
    )
    assert code == 0, said
    assert "extra runs 0 (bound 0)" in said
