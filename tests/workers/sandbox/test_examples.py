"""The examples that the console offers do what they say, in the sandbox as it is."""

from importlib.util import find_spec

import pytest

from apps.tasks import examples
from tests.workers.sandbox.harness import Ended, Sandbox


def run(sandbox: Sandbox, name: str) -> Ended:
    example = examples.find(name)
    assert example
    return sandbox.run(example.code)


def test_value_and_output(sandbox: Sandbox) -> None:
    ended = run(sandbox, "value")
    assert ended.result == 385
    assert ended.stdout.endswith(b"square 100\n")
    assert ended.stderr == b"This goes to stderr.\n"


def test_pi_is_found_and_its_progress_told(sandbox: Sandbox) -> None:
    ended = run(sandbox, "pi")
    assert float(ended.result) == pytest.approx(3.1416, abs=0.01)
    assert ended.stdout.startswith(b"10,000,000 points")
    assert len(ended.notes) == 50


def test_the_ensemble_has_the_mean_that_is_known(sandbox: Sandbox) -> None:
    ended = run(sandbox, "sde")
    assert float(ended.result) == pytest.approx(1.0996, abs=0.01)
    assert len(ended.notes) == 10


def test_the_plot_is_shown_or_what_it_lacks_is_said(sandbox: Sandbox) -> None:
    ended = run(sandbox, "plot")
    if find_spec("matplotlib"):
        assert float(ended.result) == pytest.approx(20, abs=2)
    else:
        assert ended.error.startswith("ImportError: This worker has no matplotlib:")


def test_the_table_is_shown_or_what_it_lacks_is_said(sandbox: Sandbox) -> None:
    ended = run(sandbox, "table")
    if find_spec("pandas"):
        assert all(city in ended.result for city in ("Bern", "Lyon", "Turin"))
    else:
        assert ended.error.startswith("ImportError: This worker has no pandas:")
