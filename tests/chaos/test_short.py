"""A short run with every fault there is; `python -m tests.chaos --help` tells of longer ones."""

import os

from tests.chaos.driving import drive

DATABASE = os.environ.get("MILLRACE_TEST_DATABASE", "sqlite")
SHORT = ("--tasks", "2000", "--seconds", "70", "--slots", "4", "--stretch", "0.1", "--faults", "short")
CALM = ("--calm", "300")


def test_300_tasks_run_once_without_a_fault_and_2000_survive_every_fault() -> None:
    code, said = drive("--database", DATABASE, "--seed", "1", *SHORT, *CALM)
    assert code == 0, said
    [calm, _] = [line for line in said.splitlines() if line.startswith("tasks ")]
    assert calm.startswith("tasks 300 |")
    assert "extra runs 0 (bound 0)" in calm
