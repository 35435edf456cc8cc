"""The set-up as a whole: what is fetched side by side, and two of them at a time."""

import fcntl
import subprocess

import pytest

from devstack import places
from tests.devstack.conftest import Checkout, new_checkout

GET = (
    "from devstack import mill, screen, setup, venv; import sys",
    "sys.exit(screen.run(lambda: setup.get_programs(venv.RUN, {'The mill': mill})))",
)
MILL = """\
import sys
from pathlib import Path

def find():
    return Path("mill").exists() or None

if __name__ == "__main__":
    {fetch}
"""


@pytest.fixture(scope="module")
def with_packages(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose packages are there already: its lock is empty."""
    checkout = new_checkout(tmp_path_factory.mktemp("set-up"))
    (checkout.root / "requirements.lock").write_text("")
    assert checkout.run("from devstack import venv; venv.ensure(venv.RUN)").returncode == 0
    return checkout


@pytest.fixture
def set_up(with_packages: Checkout) -> Checkout:
    """Without a mill."""
    (with_packages.root / "mill").unlink(missing_ok=True)
    return with_packages


def test_a_missing_program_is_fetched_once(set_up: Checkout) -> None:
    _mill(set_up, "Path('mill').touch()")

    first, second = set_up.run(*GET), set_up.run(*GET)

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("The mill ... ")
    assert (second.returncode, second.stdout) == (0, "")


def test_what_keeps_it_from_being_fetched_is_told_in_one_line(set_up: Checkout) -> None:
    _mill(set_up, "sys.exit('error: the mill is closed')")

    done = set_up.run(*GET)

    assert (done.returncode, done.stderr) == (1, "error: the mill is closed\n")


def test_a_second_set_up_waits_for_the_first_and_says_so(set_up: Checkout) -> None:
    _mill(set_up, "Path('mill').touch()")
    with (set_up.root / ".cache/setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = set_up.start(*GET)
        assert second.stdout
        assert second.stdout.read(len("Waiting for another setup here")) == "Waiting for another setup here"
        assert not (set_up.root / "mill").exists()

    assert second.wait(120) == 0
    assert (set_up.root / "mill").exists()


def test_a_checkout_that_cannot_be_written_is_told_before_anything_else(checkout: Checkout) -> None:
    (checkout.root / ".cache").rmdir()
    (checkout.root / ".cache").touch()

    done = checkout.run("from devstack import screen, setup; import sys; sys.exit(screen.run(setup.get_what_runs))")

    assert (done.returncode, done.stderr) == (2, "error: .cache cannot be used: file exists\n")


def test_bin_setup_takes_no_options() -> None:
    done = subprocess.run([places.ROOT / "bin/setup", "--fast"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("error: bin/setup takes no options (got '--fast')")


def _mill(checkout: Checkout, fetch: str) -> None:
    (checkout.root / "site/devstack/mill.py").write_text(MILL.format(fetch=fetch))
