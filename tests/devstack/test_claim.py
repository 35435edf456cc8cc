"""Who may be at work on a data folder beside whom."""

import os
import signal
from pathlib import Path

import pytest

from devstack import claim
from devstack.screen import Stop
from tests.devstack.conftest import Checkout, line_of

TAKE = "from devstack import claim, screen; from pathlib import Path; import os, sys, time"
HOLD = "print('held', flush=True); input()"


def stack(var: Path) -> str:
    return f"held = claim.take_stack(Path({str(var)!r}))"


def part(var: Path, name: str, owner: object = "os.getpid()") -> str:
    return f"held = claim.take_part(Path({str(var)!r}), {name!r}, {owner})"


def test_a_second_stack_is_refused_with_the_number_of_the_first(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.start(TAKE, stack(tmp_path), HOLD)
    assert line_of(first) == "held"

    with pytest.raises(Stop) as refused:
        claim.take_stack(tmp_path)

    assert str(refused.value) == f"Millrace already runs on {tmp_path} (process {first.pid}); stop it, or use --var"
    assert refused.value.code == 2
    first.kill()
    first.wait()


@pytest.mark.parametrize("name", [*claim.ALONE, *claim.SHARED])
def test_a_stack_is_refused_beside_any_part_that_runs_by_itself(name: str, checkout: Checkout, tmp_path: Path) -> None:
    other = checkout.start(TAKE, part(tmp_path, name), HOLD)
    assert line_of(other) == "held"

    with pytest.raises(Stop, match=rf"^Millrace already runs on .* \(process {other.pid}\)"):
        claim.take_stack(tmp_path)

    other.kill()
    other.wait()


@pytest.mark.parametrize("name", claim.ALONE)
def test_a_part_of_which_one_is_all_is_refused_a_second_time(name: str, tmp_path: Path) -> None:
    with claim.take_part(tmp_path, name, os.getppid()), pytest.raises(Stop) as refused:
        claim.take_part(tmp_path, name, os.getpid())

    assert str(refused.value) == (
        f"a {name} already runs on {tmp_path} (process {os.getppid()}); one is all that there may be"
    )
    assert refused.value.code == 2


def test_parts_and_any_number_of_workers_stand_side_by_side(tmp_path: Path) -> None:
    with claim.take_stack(tmp_path):
        held = [claim.take_part(tmp_path, name, os.getpid()) for name in (*claim.ALONE, "worker", "worker")]
        assert claim.others_at_work(tmp_path, "broker")
        for file in held[1:]:
            file.close()
        assert not claim.others_at_work(tmp_path, "broker")
        held[0].close()


def test_after_a_kill_the_folder_is_free_without_a_manual_step(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.start(TAKE, stack(tmp_path), part(tmp_path, "worker"), HOLD)
    assert line_of(first) == "held"

    first.send_signal(signal.SIGKILL)
    first.wait()

    claim.take_stack(tmp_path).close()


def test_a_new_stack_waits_for_the_rest_of_a_killed_one_to_leave(checkout: Checkout, tmp_path: Path) -> None:
    gone = checkout.start("pass")
    gone.wait()
    rest = checkout.start(TAKE, part(tmp_path, "worker", gone.pid), "print('held', flush=True); time.sleep(0.7)")
    assert line_of(rest) == "held"

    claim.take_stack(tmp_path).close()

    assert rest.poll() == 0 or rest.wait() == 0


def test_a_refusal_names_the_part_that_is_left_of_a_killed_stack(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "LEAVE_SECONDS", 0)
    gone = checkout.start("pass")
    gone.wait()
    rest = checkout.start(TAKE, part(tmp_path, "worker", gone.pid), HOLD)
    assert line_of(rest) == "held"

    with pytest.raises(Stop, match=rf"\(process {rest.pid}\)"):
        claim.take_stack(tmp_path)

    rest.kill()
    rest.wait()
