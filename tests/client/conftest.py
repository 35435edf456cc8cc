"""A client of the whole stack, and the program as a shell starts it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from millrace import Client
from tests.fixtures.processes import ROOT
from tests.fixtures.stack import Stack

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def token(stack: Stack) -> str:
    return stack.manage("token", "create", "--user", "admin", "--scope", "tasks:read", "--scope", "tasks:write")


@pytest.fixture
def client(stack: Stack, token: str) -> Iterator[Client]:
    with Client(stack.url, token, patience=60) as client:  # a machine under load
        yield client


@pytest.fixture
def environment(stack: Stack, token: str, tmp_path: Path) -> dict[str, str]:
    """Of a shell that has `millrace` on its path."""
    program = tmp_path / "bin" / "millrace"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT / "site"} exec {sys.executable} -m millrace "$@"\n')
    program.chmod(0o755)
    return {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "MILLRACE_URL": stack.url,
        "MILLRACE_API_TOKEN": token,
    }


@pytest.fixture
def program(environment: dict[str, str], tmp_path: Path) -> Program:
    def run(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["millrace", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**environment, **more},
            cwd=tmp_path,
            timeout=150,
            check=False,
        )

    return run
