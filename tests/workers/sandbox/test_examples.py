"""The examples that the console offers do what they say, in the sandbox as it is. See test_science.py for others."""

import pytest

from apps.tasks import examples
from tests.workers.sandbox.harness import Ended, Sandbox


def run(sandbox: Sandbox, name: str, *, before: str = "") -> Ended:
    example = examples.find(name)
    assert example
    return sandbox.run(before + example.code)


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


@pytest.mark.parametrize(("name", "lacks"), [("plot", "matplotlib"), ("table", "pandas")])
def test_what_one_lacks_is_said(name: str, lacks: str, sandbox: Sandbox) -> None:
    ended = run(sandbox, name, before=f"import sys\nsys.modules['{lacks}'] = None\n")
    assert ended.error.startswith(f"ImportError: This worker has no {lacks}:")
