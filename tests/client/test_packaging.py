"""What `pip install` brings: the client alone, into an environment that has nothing else."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from devstack import venv
from millrace import __version__
from tests.fixtures.processes import ROOT

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy: setuptools leaves folders behind."""
    project = tmp_path / "millrace"
    shutil.copytree(ROOT / "site" / "millrace", project / "site" / "millrace")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    return project


@pytest.fixture
def wheel(project: Path, tmp_path: Path) -> Path:
    # Without pip, which a .venv made by uv has not.
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=project, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    return wheel


def test_the_wheel_is_the_client_and_runs_where_nothing_else_is_installed(wheel: Path, tmp_path: Path) -> None:
    own = {"millrace", f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    with zipfile.ZipFile(wheel) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == own
        assert "millrace/py.typed" in archive.namelist()

    empty = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(empty)], check=True)
    pip = (str(empty / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-index")
    subprocess.run(
        [*pip, "--no-compile", str(wheel)],
        env={"PYTHONPATH": str(next(venv._pip_wheels()))},
        check=True,
        capture_output=True,
    )

    assert {path.name for path in empty.glob("lib/python3*/site-packages/*")} == own
    environment = {"HOME": str(tmp_path), "MILLRACE_API_TOKEN": "t", "MILLRACE_URL": "http://127.0.0.1:1"}
    program = [str(empty / "bin" / "millrace"), "workers"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False, timeout=150)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: http://127.0.0.1:1 cannot be reached: connection refused\n"


@pytest.mark.skipif(find_spec("ensurepip") is None, reason="python3 -m venv needs the package python3-venv here")
@pytest.mark.usefixtures("project")
def test_what_the_documents_say_installs_it_into_an_empty_home(tmp_path: Path) -> None:
    install = "    python3 -m venv ~/millrace-client && . ~/millrace-client/bin/activate && pip install ~/millrace\n"
    without = "    PYTHONPATH=~/millrace/site python3 -m millrace --help\n"
    document = (ROOT / "docs" / "client.md").read_text()
    for text in (document, (ROOT / "README.md").read_text()):
        assert [f"{line}\n" for line in text.splitlines() if "pip install ~" in line and line.startswith(" ")] == [
            install
        ]
    assert without in document

    # setuptools is this environment's: no index is asked for it.
    environment = {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin"}
    pip = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PYTHONPATH": sysconfig.get_path("purelib")}
    script = f"set -e\n{without}{install}unset PYTHONPATH\nmillrace --version\ncd /\npython3 -c 'import millrace'\n"
    shell = ["/bin/sh", "-c", script]
    done = subprocess.run(shell, env=environment | pip, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert done.stdout.startswith("usage: millrace")
    assert done.stdout.endswith(f"\nmillrace {__version__}\n")
