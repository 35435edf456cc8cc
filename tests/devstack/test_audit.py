"""What bin/audit makes of what pip-audit says, and the list of what the server runs on."""

import json
from pathlib import Path
from typing import Any

import pytest

from devstack import audit, places
from tests.devstack.conftest import Checkout

SAFE: dict[str, Any] = {"name": "pika", "version": "1.4.4", "vulns": []}
FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["5.2.9"], "aliases": [], "description": "A NUL\n  ends it."}
UNSAFE: dict[str, Any] = {"name": "django", "version": "5.2.1", "vulns": [FLAW, {**FLAW, "fix_versions": []}]}
SKIPPED = {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited: six (1.17.0)"}
AUDIT = "from devstack import audit, screen; import sys; sys.argv = ['audit']; sys.exit(screen.run(audit.main))"


def said(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([SAFE], 0, ["Nothing is known against the 1 packages"]),
        ([SAFE, UNSAFE], 1, ["django 5.2.1: PYSEC-2026-1, mended in 5.2.9: A NUL ends it.", "not mended yet"]),
        ([SAFE, SKIPPED], 3, ["NOT AUDITED: 1 of 2 packages: six (Dependency not found"]),
        ([UNSAFE, SKIPPED], 1, ["django 5.2.1", "NOT AUDITED: 1 of 2"]),
    ],
)
def test_what_nobody_could_look_up_is_not_called_safe(
    packages: list[dict[str, Any]], code: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.tell(audit.read(said(*packages))) == code
    told = "".join(capsys.readouterr())
    assert [word for word in words if word not in told] == []


@pytest.mark.parametrize(
    ("script", "code", "complaint"),
    [
        (f"cat <<'END'\n{said(UNSAFE)}\nEND\nexit 1", 1, "error: django 5.2.1"),
        ("echo '{}'", 3, "error: NOT AUDITED: pip-audit could not ask: it failed with exit code 0 and no word"),
        (
            "echo 'ConnectionError: no way there' >&2; exit 1",
            3,
            "error: NOT AUDITED: pip-audit could not ask: no way there",
        ),
    ],
)
def test_the_program_is_asked_about_the_lock_of_all(checkout: Checkout, script: str, code: int, complaint: str) -> None:
    (checkout.root / audit.LOCK).write_text("")
    folder = checkout.root / ".cache/audit"
    (folder / "bin").mkdir(parents=True)
    (folder / "installed").write_text(audit.digest_of(checkout.root / audit.LOCK))
    program = folder / "bin/pip-audit"
    program.write_text(f'#!/bin/sh\necho "$@" > {checkout.root}/asked\n{script}\n')
    program.chmod(0o755)
    run = checkout.run(AUDIT)
    assert (run.returncode, complaint in run.stderr, "Traceback" in run.stderr) == (code, True, False), run.stderr
    assert "--require-hashes" in (checkout.root / "asked").read_text()
    assert (checkout.root / "asked").read_text().endswith("-r requirements-dev.lock\n")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-audit.lock"])
def test_every_line_of_a_lock_is_one_version_with_its_hashes(lock: str) -> None:
    text = (places.ROOT / lock).read_text()
    parts = audit.bill(text)["components"]
    assert len(parts) == sum(not line.startswith("    --hash=sha256:") for line in text.splitlines())
    assert [part["name"] for part in parts if not part["hashes"]] == []


def test_the_bill_names_every_package_of_the_lock_with_its_hashes(tmp_path: Path) -> None:
    lock = (places.ROOT / "requirements.lock").read_text()
    parts = audit.bill(lock)["components"]
    assert len(parts) == lock.count("==") - lock.count(" == ")
    assert sum(len(part["hashes"]) for part in parts) == lock.count("--hash=sha256:")
    django = next(part for part in parts if part["name"] == "django")
    assert django["purl"] == f"pkg:pypi/django@{django['version']}"
    assert django["version"].startswith("5.2.")
