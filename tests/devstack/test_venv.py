"""The virtual environment from a lock file: made by the real installers from a package that lies beside it."""

import base64
import hashlib
import os
import shutil
import zipfile

import pytest

from devstack import places
from tests.devstack.conftest import Checkout

ENSURE = "from devstack import screen, venv; import sys; sys.exit(screen.run(lambda: venv.ensure(venv.RUN)))"
INSTALLERS = ["pip", *(["uv"] if shutil.which("uv") else [])]


@pytest.fixture
def checkout(checkout: Checkout) -> Checkout:
    """With the pip that this machine's set-up had to fetch, if it had to."""
    checkout.environment["HOME"] = str(checkout.root)
    if (fetched := places.CACHE / "pip").exists():
        (checkout.root / ".cache/pip").symlink_to(fetched)
    return checkout


@pytest.mark.parametrize("installer", INSTALLERS)
def test_the_environment_follows_its_lock(checkout: Checkout, installer: str) -> None:
    if installer == "pip":
        _break_uv(checkout)

    _lock(checkout, "1.0")
    first, second = checkout.run(ENSURE), checkout.run(ENSURE)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("Python packages ... ")
    assert _installed(checkout) == "1.0"
    assert (second.returncode, second.stdout) == (0, ""), "it has nothing to do, and says nothing"

    _lock(checkout, "2.0")
    assert checkout.run(ENSURE).returncode == 0
    assert _installed(checkout) == "2.0"

    _lock(checkout, "3.0", digest="0" * 64)
    refused, again = checkout.run(ENSURE), checkout.run(ENSURE)
    assert refused.returncode == again.returncode == 1, "it is tried again, not taken for installed"
    assert refused.stderr.startswith("error: cannot install them: ")
    assert refused.stderr.count("\n") == 1
    assert "hash" in (checkout.root / ".cache/setup.log").read_text().lower()
    assert _installed(checkout) == "2.0"


@pytest.mark.parametrize(
    ("host", "why"),
    [("no-such-host.invalid", "its name cannot be resolved"), ("127.0.0.1:1", "the connection is refused")],
)
def test_a_package_index_that_cannot_be_reached_is_told_as_such(host: str, why: str, checkout: Checkout) -> None:
    _break_uv(checkout)
    checkout.environment |= {
        "PIP_INDEX_URL": f"https://{host}/simple",
        "PIP_RETRIES": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    (checkout.root / "requirements.lock").write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")

    done = checkout.run(ENSURE)

    assert (done.returncode, done.stderr) == (
        1,
        f"error: cannot install them: the package index cannot be reached: {why} (more in .cache/setup.log)\n",
    )


def test_what_is_imported_stays_compiled_for_the_next_process(checkout: Checkout) -> None:
    _lock(checkout, "1.0")
    checkout.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    of_a_process = 'import os; print("PYTHONDONTWRITEBYTECODE" in os.environ)'

    assert checkout.run(f"from devstack import venv; venv.ensure(venv.RUN); {of_a_process}").stdout.endswith("False\n")


def test_an_environment_without_its_python_is_made_anew(checkout: Checkout) -> None:
    _lock(checkout, "1.0")
    checkout.run(ENSURE)
    for link in (checkout.root / ".venv/bin").glob("python*"):
        link.unlink()
        link.symlink_to("/nowhere/python3")

    repaired = checkout.run(ENSURE)

    assert repaired.returncode == 0, repaired.stderr
    assert _installed(checkout) == "1.0"


def test_a_moved_checkout_gets_a_new_one(checkout: Checkout) -> None:
    _lock(checkout, "1.0")
    checkout.run(ENSURE)
    moved = Checkout(checkout.root.rename(checkout.root.with_name("moved")))
    _lock(moved, "1.0")

    assert moved.run(ENSURE).returncode == 0

    activate = (moved.root / ".venv/bin/activate").read_text()
    assert str(moved.root) in activate
    assert str(checkout.root) not in activate
    assert _installed(moved) == "1.0"


def _break_uv(checkout: Checkout) -> None:
    """As the one that a version manager puts on the path for versions that lack it."""
    (checkout.root / "uv").write_text("#!/bin/sh\necho not installed in this version >&2; exit 127\n")
    (checkout.root / "uv").chmod(0o755)
    checkout.environment["PATH"] = f"{checkout.root}:{os.environ['PATH']}"


def _lock(checkout: Checkout, version: str, digest: str = "") -> None:
    wheel = checkout.root / f"tiny-{version}-py3-none-any.whl"
    records = {
        "tiny.py": f"version = {version!r}\n",
        f"tiny-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"tiny-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listing = "".join(f"{name},sha256={_record_hash(text)},{len(text)}\n" for name, text in records.items())
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**records, f"tiny-{version}.dist-info/RECORD": listing}.items():
            archive.writestr(name, text)
    digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    (checkout.root / "requirements.lock").write_text(
        f"--no-index\n--find-links {checkout.root}\ntiny=={version} --hash=sha256:{digest}\n"
    )


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _installed(checkout: Checkout) -> str:
    done = checkout.start(
        "import importlib.metadata as all; print(all.version('tiny'))", python=str(checkout.root / ".venv/bin/python")
    )
    return done.communicate()[0].strip()
