"""What shuts code in, found or fetched."""

import subprocess
from pathlib import Path

import pytest

from devstack import bubblewrap


def test_the_one_that_is_asked_for_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_BUBBLEWRAP", "/opt/bwrap")

    assert bubblewrap.find() == "/opt/bwrap"
    assert bubblewrap.environment() == {"MILLRACE_BUBBLEWRAP": "/opt/bwrap"}


def test_an_unpacked_one_runs_from_wherever_it_is_moved_to(tmp_path: Path) -> None:
    program = tmp_path / "there/usr/bin/bwrap"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$1"; echo "$LD_LIBRARY_PATH" | tr : "\\n"\n')
    program.chmod(0o755)
    bubblewrap._write_starter(tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "here")

    said = subprocess.check_output([tmp_path / "here/start", "--version"], text=True).splitlines()

    assert said[0] == "--version"
    assert all(line.startswith(f"{tmp_path}/here/") for line in said[1:])


def test_the_one_that_is_there_runs() -> None:
    found = bubblewrap.find()

    assert found
    assert subprocess.check_output([found, "--version"], text=True).startswith("bubblewrap ")
