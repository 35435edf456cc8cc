"""`bin/audit`: what is known to be unsafe of the locked packages, by pip-audit; and a list of them for others."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack import commands, places, screen, venv
from devstack.screen import Stop, step

USAGE = """\
usage: bin/audit [--sbom FILE]

Asks the index of packages for known vulnerabilities of what requirements-dev.lock names, which holds
requirements.lock too. Exit code 0: there are none; 1: there are some; 3: not all could be audited.
--sbom writes what the server runs on into a file, as CycloneDX in JSON, and asks nobody."""

LOCK = "requirements-audit.lock"  # of pip-audit itself, which shares no package with ours
FOLDER = places.CACHE / "audit"
PROGRAM = FOLDER / "bin" / "pip-audit"
NOT_ALL = 3
MOST_NAMED = 5
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(.*(?:\n    --hash=.*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Report:
    """`unsafe`: a sentence each. `skipped`: why, by the name of what nobody could say anything about."""

    count: int
    unsafe: Sequence[str] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)


def main() -> int:
    match sys.argv[1:]:
        case ["--help" | "-h"]:
            screen.say(USAGE)
            return 0
        case ["--sbom", file]:
            Path(file).write_text(json.dumps(bill((places.ROOT / venv.RUN).read_text()), indent=2) + "\n")
            return 0
        case []:
            _ensure()
            return tell(_asked())
    raise Stop(f"bin/audit takes --sbom FILE or nothing (got {' '.join(sys.argv[1:])!r:.40})", code=2)


def read(said: str) -> Report:
    """What pip-audit said in JSON. Raises ValueError or KeyError when that is none."""
    packages = json.loads(said)["dependencies"]
    return Report(
        len(packages),
        [_sentence(each, problem) for each in packages for problem in each.get("vulns", ())],
        {each["name"]: each["skip_reason"] for each in packages if "skip_reason" in each},
    )


def tell(report: Report) -> int:
    """The exit code. pip-audit itself finds nothing unsafe in what it could not look up, and is content."""
    for sentence in report.unsafe:
        screen.complain(sentence)
    if report.skipped:
        some = ", ".join([*list(report.skipped)[:MOST_NAMED], *(["..."] if len(report.skipped) > MOST_NAMED else [])])
        why = next(iter(report.skipped.values()))
        screen.complain(f"{len(report.skipped)} of {report.count} packages: {some} ({why})", kind="NOT AUDITED")
    if report.unsafe:
        return 1
    if not report.skipped:
        screen.say(f"Nothing is known against the {report.count} packages of {venv.TESTS}")
    return NOT_ALL if report.skipped else 0


def bill(lock: str) -> dict[str, Any]:
    """Of what a lock file names, with the hashes of all the files that may be installed."""
    components = [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
            "hashes": [{"alg": "SHA-256", "content": each} for each in re.findall(r"sha256:([0-9a-f]{64})", rest)],
        }
        for name, version, rest in PINNED.findall(lock)
    ]
    about = {"component": {"type": "application", "name": "millrace"}}
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": about, "components": components}


def _sentence(package: Mapping[str, Any], problem: Mapping[str, Any]) -> str:
    fixed = problem.get("fix_versions")
    remedy = f"mended in {', '.join(fixed)}" if fixed else "not mended yet"
    about = " ".join(str(problem.get("description", "")).split())
    return f"{package['name']} {package['version']}: {problem['id']}, {remedy}: {about:.200}"


def digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _ensure() -> None:
    digest = digest_of(places.ROOT / LOCK)
    stamp = FOLDER / "installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    try:
        with step("pip-audit"):
            commands.run(sys.executable, "-m", "venv", "--clear", FOLDER)
            install = (
                "-m",
                "pip",
                "--disable-pip-version-check",
                "install",
                "--quiet",
                "--no-deps",
                "--require-hashes",
            )
            commands.run(FOLDER / "bin" / "python", *install, "-r", LOCK)
    except commands.CommandFailed as error:
        raise Stop(f"NOT AUDITED: pip-audit cannot be installed: {error.last_line}", code=NOT_ALL) from None
    stamp.write_text(digest)


def _asked() -> Report:
    """Not by commands.run: it fails when something is unsafe as well."""
    asks = (PROGRAM, "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")
    with step("Known vulnerabilities"):
        asked = subprocess.run(
            [*asks, "-r", venv.TESTS], cwd=places.ROOT, capture_output=True, text=True, errors="replace", check=False
        )
    try:
        return read(asked.stdout)
    except (ValueError, KeyError):
        failed = commands.CommandFailed(asked.stderr, asked.returncode)
        raise Stop(f"NOT AUDITED: pip-audit could not ask: {failed.last_line}", code=NOT_ALL) from None


if __name__ == "__main__":
    sys.exit(screen.run(main))
