"""What the tests of the set-up share: a checkout of their own, and our programs run in it as a person runs them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devstack import places


@dataclass
class Checkout:
    """A folder with nothing but our set-up in it; its .venv, .cache and var are its own."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *script: str, python: str = sys.executable) -> subprocess.Popen[str]:
        """Runs Python statements that may import devstack, up to the end of the script."""
        return subprocess.Popen(
            [python, "-c", "\n".join(script)],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(self.root / "site"), **self.environment},
            stdin=subprocess.PIPE,  # a script that asks for input() stays until it is ended
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *script: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*script)
        said, complaint = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, said, complaint)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return new_checkout(tmp_path)


def new_checkout(folder: Path) -> Checkout:
    root = folder / "checkout"
    shutil.copytree(
        places.ROOT / "site" / "devstack", root / "site" / "devstack", ignore=shutil.ignore_patterns("__pycache__")
    )
    (root / ".cache").mkdir()
    return Checkout(root)


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that it prints; waits for it."""
    assert process.stdout
    return process.stdout.readline().rstrip("\n")
