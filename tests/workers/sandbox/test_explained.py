"""Errors whose cause is the sandbox say so."""

import pytest

from tests.workers.sandbox.harness import Sandbox
from workers.sandbox import explained

EXPLAINED = {
    "import seaborn_or_what": explained.NO_PACKAGE,
    "input('your name')": explained.NOBODY_TYPES,
    "import urllib.request\nurllib.request.urlopen('http://example.org')": explained.NO_NETWORK,
    "import socket\nsocket.create_connection(('127.0.0.1', 80))": explained.NO_NETWORK,
    "import subprocess\nsubprocess.run(['/usr/bin/true'])": explained.NO_PROCESSES,
    "import os\nos.fork()": explained.NO_PROCESSES,
    "import multiprocessing\nmultiprocessing.get_context('fork').Process().start()": explained.NO_PROCESSES,
    "open('/home/me/orders.csv')": explained.NO_FILES,
    "open('/usr/orders.csv', 'w')": explained.NO_FILES,
    "try:\n    open('/root/x')\nexcept OSError:\n    raise ValueError('no orders')": explained.NO_FILES,
}
ITS_OWN = [
    "open('orders.csv')",
    "open('/tmp/orders.csv')",
    "raise EOFError",
    "class Odd(ImportError):\n    add_note = None\nraise Odd",
    "class Odd(ModuleNotFoundError):\n    @property\n    def add_note(self): raise KeyError\nraise Odd",
]


def traceback(sandbox: Sandbox, code: str) -> str:
    outcome = sandbox.run(code).outcome
    assert outcome
    assert outcome.error
    assert outcome.reason == "ERROR"
    return outcome.error.traceback


@pytest.mark.parametrize("code", EXPLAINED)
def test_what_the_sandbox_forbids_is_explained_beneath_the_error(code: str, sandbox: Sandbox) -> None:
    assert traceback(sandbox, code).endswith(f"\n{EXPLAINED[code]}\n")


@pytest.mark.parametrize("code", ITS_OWN)
def test_other_errors_are_left_as_they_are(code: str, sandbox: Sandbox) -> None:
    told = traceback(sandbox, code)
    assert not any(note in told for note in EXPLAINED.values())
