"""A short run with every fault there is, and one without any; `python -m tests.chaos --help` tells of longer ones."""

import pytest

from tests.chaos.driving import drive

SHORT = ("--tasks", "2000", "--seconds", "80", "--slots", "4", "--stretch", "0.2", "--faults", "short")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_2000_tasks_survive_every_fault(database: str) -> None:
    code, said = drive("--database", database, "--seed", "1", *SHORT)
    assert code == 0, said


def test_without_a_fault_nothing_is_run_twice() -> None:
    code, said = drive("--tasks", "300", "--seconds", "5", "--stretch", "0.1", "--faults", "none")
    assert code == 0, said
    assert "extra runs 0 (bound 0)" in said
