"""The browser of the tests."""

import subprocess
from pathlib import Path

import pytest

from devstack import chromium


def test_the_one_that_is_asked_for_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_BROWSER", "/opt/browser")

    assert chromium.find() == "/opt/browser"


def test_an_unpacked_one_runs_from_wherever_it_is_moved_to(tmp_path: Path) -> None:
    program = tmp_path / "there/usr/lib/chromium" / chromium.PACKAGE
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$1"; echo "$LD_LIBRARY_PATH" | tr : "\\n"; echo "$FONTCONFIG_PATH"\n')
    program.chmod(0o755)
    chromium._write_starter(tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "here")

    starter = tmp_path / "here" / chromium.STARTER.name
    said = subprocess.check_output([starter, "--headless"], text=True).splitlines()

    assert said[0] == "--headless"
    assert all(line.startswith(f"{tmp_path}/here/") for line in said[1:])
    assert said[-1] == f"{tmp_path}/here/etc/fonts"
