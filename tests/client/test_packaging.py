"""What `pip install` brings: the client alone, into an environment that has nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from devstack import venv
from tests.fixtures.processes import ROOT

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    # Of a copy: setuptools leaves folders behind. Without pip, which a .venv made by uv has not.
    project = tmp_path / "project"
    shutil.copytree(ROOT / "site" / "millrace", project / "site" / "millrace")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
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
