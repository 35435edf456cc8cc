"""Negative controls: with a mechanism taken away the chaos test finds the loss; with all in place it finds none."""

import pytest

from tests.chaos.driving import drive

BRIEF = ("--workers", "1", "--slots", "4", "--seconds", "6", "--quiet", "2", "--kinds", "chaos.quick,chaos.medium")
MANY_SHORT = ("--tasks", "60", "--stretch", "0.2")
A_BACKLOG = ("--tasks", "80", "--stretch", "0.4", "--kinds", "chaos.medium")
# The mechanism, the faults of which it takes care, the load during which they matter, and what is broken without it.
CONTROLS = [
    ("mandatory", "Q-U=1", MANY_SHORT, "I2 stuck"),
    ("confirmed_handover", "N-R=1", MANY_SHORT, "I2 stuck"),
    ("confirmed_outcome", "A-W=1", A_BACKLOG, "I2 stuck"),
    ("two_connections", "A-D=1", A_BACKLOG, "I2 stuck"),
    ("compare_and_set", "@sink.after_http_ok=1", MANY_SHORT, "I3 recorded twice"),
    ("requeue", "W-A=1", A_BACKLOG, "I2 stuck"),
]
ALL_FAULTS = ",".join(faults for _, faults, _, _ in CONTROLS)


@pytest.mark.parametrize(("mechanism", "faults", "load", "broken"), CONTROLS, ids=[each[0] for each in CONTROLS])
def test_the_loss_is_found_without(mechanism: str, faults: str, load: tuple[str, ...], broken: str) -> None:
    code, said = drive(*BRIEF, *load, "--faults", faults, "--without", mechanism, "--forget")
    assert code == 1, said
    assert f"BROKEN {broken}" in said


def test_the_same_faults_break_nothing_with_all_in_place() -> None:
    code, said = drive(*BRIEF, *A_BACKLOG, "--seconds", "12", "--quiet", "60", "--faults", ALL_FAULTS)
    assert code == 0, said
