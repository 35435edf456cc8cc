"""Modules that are imported once, before there is a task."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.workers.sandbox.harness import Sandbox
from workers.sandbox.limits import Limits
from workers.sandbox.probe import Findings

LOADED = "import sys\n[name in sys.modules for name in ('wave', 'numpy')]"


@contextmanager
def preloading(found: Findings, *modules: str) -> Iterator[Sandbox]:
    assert found.plan
    sandbox = Sandbox(replace(found.plan, limits=Limits(preload=modules)), found.bubblewrap)
    yield sandbox
    sandbox.close()


def test_a_task_finds_imported_what_is_named_and_no_more(found: Findings, sandbox: Sandbox) -> None:
    with preloading(found, "wave") as other:
        assert other.run(LOADED).result == [True, False]
    assert sandbox.run(LOADED).result == [False, True]


def test_what_cannot_be_imported_is_told_and_the_rest_is_there(
    found: Findings, capfd: pytest.CaptureFixture[str]
) -> None:
    with preloading(found, "nonexist", "wave") as sandbox:
        assert sandbox.run(LOADED).result == [True, False]
        assert sandbox.run("import nonexist").error == "ModuleNotFoundError: No module named 'nonexist'"
    said = "MILLRACE_SANDBOX_PRELOAD: nonexist cannot be imported: ModuleNotFoundError: No module named 'nonexist'\n"
    assert capfd.readouterr().err == said
