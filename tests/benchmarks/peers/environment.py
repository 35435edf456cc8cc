"""The virtual environment of the peers: in `.cache/peers` of the checkout, from the lock beside this file."""

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.peers.servers import ROOT

HERE = Path(__file__).parent
FOLDER = ROOT / ".cache" / "peers"
PYTHON = FOLDER / "bin" / "python"


def ensure() -> None:
    """Makes it when it is not there, or of another lock."""
    lock, mark = HERE / "requirements.lock", FOLDER / "lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return
    print("the peers' packages ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", lock], check=True)
    mark.write_text(digest)
