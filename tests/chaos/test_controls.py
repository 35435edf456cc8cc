"""Negative controls: with a mechanism taken away the chaos test finds the loss; with all in place it finds none."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from devstack import node
from tests.chaos.__main__ import tell
from tests.chaos.campaign import Campaign, Wish
from tests.fixtures.broker import BOOT_SECONDS
from tests.fixtures.processes import eventually

MANY_SHORT = Wish(
    tasks=60,
    seconds=6,
    seed=1,
    faults={},
    kinds=("chaos.quick", "chaos.medium"),
    workers=1,
    slots=4,
    stretch=0.2,
    quiet_seconds=2,
)
A_BACKLOG = replace(MANY_SHORT, tasks=80, stretch=0.4, kinds=("chaos.medium",))


class Control(NamedTuple):
    """A mechanism, the fault of which it takes care, the load during which it matters, and what is broken without."""

    mechanism: str
    fault: str
    load: Wish
    broken: str


CONTROLS = [
    Control("mandatory", "Q-U", MANY_SHORT, "I2 stuck"),
    Control("confirmed_handover", "N-R", MANY_SHORT, "I2 stuck"),
    Control("confirmed_outcome", "A-W", A_BACKLOG, "I2 stuck"),
    # So many that outcomes pile up in more batches than one: the first was on its way before the alarm.
    Control("two_connections", "A-D", replace(A_BACKLOG, tasks=240), "I2 stuck"),
    Control("compare_and_set", "@sink.after_http_ok", MANY_SHORT, "I3 recorded twice"),
    Control("requeue", "W-A", A_BACKLOG, "I2 stuck"),
]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """One broker and one database, on which the parts are started anew for each run."""
    campaign = Campaign(MANY_SHORT, tmp_path_factory.mktemp("controls"), None)
    with campaign.prepared():
        campaign.keep()
        eventually(lambda: node.answers(campaign.rig.broker_port), BOOT_SECONDS)
        yield campaign
    assert campaign.rig.leftovers() == []


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.mechanism)
def test_the_loss_is_found_without(control: Control, campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    wish = replace(control.load, faults={control.fault: 1}, without=(control.mechanism,))
    assert tell(campaign.run_again(wish), wish) == 1
    assert f"BROKEN {control.broken}" in capsys.readouterr().out


def test_the_same_faults_break_nothing_with_all_in_place(campaign: Campaign) -> None:
    faults = {control.fault: 1 for control in CONTROLS}
    wish = replace(A_BACKLOG, faults=faults, seconds=12, quiet_seconds=60)
    assert tell(campaign.run_again(wish), wish) == 0
