"""One stack per data folder."""

import os
import signal
from pathlib import Path

import pytest

from devstack import claim
from devstack.screen import Stop
from tests.devstack.conftest import Checkout, line_of

HOLD = "from devstack import claim; from pathlib import Path; import os, sys, time"


def test_a_second_stack_is_refused_with_the_number_of_the_first(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.start(
        HOLD, f"held = claim.take(Path({str(tmp_path)!r}), os.getpid()); print('held', flush=True)", "input()"
    )
    assert line_of(first) == "held"

    with pytest.raises(Stop) as refused:
        claim.take(tmp_path, os.getpid())

    assert f"(process {first.pid})" in str(refused.value)
    assert refused.value.code == 2
    first.kill()
    first.wait()


def test_the_processes_of_one_stack_hold_it_together(checkout: Checkout, tmp_path: Path) -> None:
    with claim.take(tmp_path, os.getpid()):
        part = checkout.run(
            HOLD, f"held = claim.take(Path({str(tmp_path)!r}), os.getppid() + 1_000_000); print('joined')"
        )

    assert (part.returncode, part.stdout) == (0, "joined\n"), part.stderr


def test_after_a_kill_the_folder_is_free_without_a_manual_step(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.start(
        HOLD, f"held = claim.take(Path({str(tmp_path)!r}), os.getpid()); print('held', flush=True)", "input()"
    )
    assert line_of(first) == "held"

    first.send_signal(signal.SIGKILL)
    first.wait()

    claim.take(tmp_path, os.getpid()).close()


def test_a_new_stack_waits_for_the_rest_of_a_killed_one_to_leave(checkout: Checkout, tmp_path: Path) -> None:
    gone = checkout.start("pass")
    gone.wait()
    rest = checkout.start(
        HOLD, f"held = claim.take(Path({str(tmp_path)!r}), {gone.pid}); print('held', flush=True); time.sleep(0.7)"
    )
    assert line_of(rest) == "held"

    claim.take(tmp_path, os.getpid()).close()

    assert rest.poll() == 0 or rest.wait() == 0
