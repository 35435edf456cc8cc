"""Every example in docs/client.md, run as it stands there."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from apps.tasks.changes import KEPT
from millrace import Client
from tests.fixtures.processes import ROOT
from tests.fixtures.stack import Stack

DOCUMENT = ROOT / "docs" / "client.md"
PROMPT, END = "$ ", "-- end of a command --"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found


def test_the_examples_in_python(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MILLRACE_URL", "MILLRACE_API_TOKEN"):
        monkeypatch.setenv(name, environment[name])
    program = "\n".join(blocks("python"))
    exec(compile(program, str(DOCUMENT), "exec"), {"__name__": "example"})  # noqa: S102 our own text
    said = capsys.readouterr().out
    assert f"\n{sum(range(1200))}\n" in said
    assert "failed: SimulatedFailure: the coin fell on the wrong side (failure rate 1)" in said
    assert "half way\n" in said


def test_how_long_a_cursor_is_good_is_told_as_it_is() -> None:
    assert f"the cursor is good for {KEPT.days} days" in DOCUMENT.read_text()
    assert f"the cursor is older than {KEPT.days} days" in " ".join((Client.changes.__doc__ or "").split())


def test_the_token_is_kept_by_a_fresh_account_for_itself_alone(
    stack: Stack, environment: dict[str, str], tmp_path: Path
) -> None:
    (lines,) = re.findall(r"^    mkdir .*\n(?:    .*\n)*", DOCUMENT.read_text(), re.MULTILINE)
    python = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    its = {"HOME": str(tmp_path), "PATH": python, "MILLRACE_VAR": str(stack.var)}
    subprocess.run(["/bin/sh", "-ec", f"umask 022\n{lines}"], env=its, cwd=ROOT, check=True)
    assert stat.S_IMODE((tmp_path / ".config/millrace/token").stat().st_mode) == 0o600
    del environment["MILLRACE_API_TOKEN"]
    done = subprocess.run(["millrace", "queues"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_examples_of_the_shell(environment: dict[str, str], tmp_path: Path) -> None:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    commands = [line.removeprefix(PROMPT) for line in lines if line.startswith(PROMPT)]
    script = "exec 2>&1\n" + "".join(f"{command}\necho '{END}'\n" for command in commands)
    shell = subprocess.run(
        ["/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path, check=False
    )
    said = shell.stdout.split(f"{END}\n")[:-1]
    assert len(said) == len(commands)
    for command, expected, output in zip(commands, _outputs(lines), said, strict=True):
        pattern = re.escape(expected).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, output, re.DOTALL), f"{command}\n{output}"


def _outputs(lines: list[str]) -> list[str]:
    """What follows each command; "..." is anything."""
    outputs: list[str] = []
    for line in lines:
        if line.startswith(PROMPT):
            outputs.append("")
        else:
            outputs[-1] += f"{line}\n"
    return outputs
