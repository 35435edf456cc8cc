"""Finds out, by trying, how well code can be shut in on this machine, and what would make it better.

*full*: namespaces, Landlock if there is one, seccomp, limits. *reduced*: the same without namespaces. *none*: neither
is possible, and code written in the browser is refused. *off*: it is refused because nobody has switched it on.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from workers.sandbox import command
from workers.sandbox.limits import Limits
from workers.sandbox.plan import Plan

PATIENCE_SECONDS = 30.0
ENOUGH_ALONE = 3  # before, files that may be read could be cut off
INSTALL = "Install bubblewrap: apt-get install bubblewrap (or dnf install bubblewrap)."
SWITCHES = (
    ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
    ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
)
CONTAINERS = ("/.dockerenv", "/run/.containerenv")
IN_CONTAINER = "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"


class Level(StrEnum):
    FULL = "full"
    REDUCED = "reduced"
    NONE = "none"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`missing`: sentences for people, the most important first. `fix`: one line; "" when nothing is missing."""

    level: Level
    missing: tuple[str, ...] = ()
    fix: str = ""
    bubblewrap: str | None = None
    plan: Plan | None = None  # None: nothing may be run

    def sentence(self) -> str:
        """For the worker's log: the level, and what would make it better."""
        if self.level is Level.OFF:
            return f"user code: switched off, so code.python is not served. {self.fix}"
        if self.plan is None:
            return " ".join(["user code: no sandbox, so code.python is not served.", *self.missing[:1], self.fix])
        return " ".join([f"user code: {self.level} sandbox", *self.missing[:1], self.fix]).strip()

    def refusal(self) -> str:
        """For the outcome of code that is not run here."""
        if self.level is Level.OFF:
            return f"This worker runs no code: that is switched off.\n{self.fix}"
        return "\n".join(["This worker has no sandbox, so it runs no code.", self.fix, *self.missing[:1]])

    def announced(self) -> dict[str, Any]:
        """What the worker's environment says of it; of one that runs no code nothing."""
        if self.level is Level.OFF:
            return {}
        if not self.missing:
            return {"sandbox": self.level}
        # A path among them may hold what no message can.
        missing = [each.encode(errors="replace").decode() for each in self.missing]
        return {"sandbox": self.level, "sandbox_missing": missing, "sandbox_fix": self.fix}


SWITCHED_OFF = Findings(level=Level.OFF, fix="MILLRACE_CODE=on switches it on, for the web and its workers.")


def find_bubblewrap() -> str | None:
    """MILLRACE_BUBBLEWRAP names one that is not installed."""
    return os.environ.get("MILLRACE_BUBBLEWRAP") or shutil.which("bwrap")


def probe(limits: Limits, bubblewrap: str | None) -> Findings:
    """Takes about 0.3 s."""
    missing: list[str] = []
    if bubblewrap is None:
        missing.append("bubblewrap is not installed, so code would see this machine's files by their rights alone.")
    else:
        tried = _tries(bubblewrap)
        if isinstance(tried, str):
            missing.append(f"bubblewrap cannot make a view of its own: {tried}.")
        elif found := _found(tried, bubblewrap, limits, missing, _fix(bubblewrap)):
            return found
    tried = _tries(None)
    if isinstance(tried, str):
        missing.append(f"Python cannot be run by an unprivileged user: {tried}.")
    elif found := _found(tried, None, limits, missing, _fix(bubblewrap)):
        return found
    return Findings(level=Level.NONE, missing=tuple(dict.fromkeys(missing)), fix=_fix(bubblewrap))


def _found(
    tried: dict[str, Any], bubblewrap: str | None, limits: Limits, missing: list[str], fix: str
) -> Findings | None:
    full, reduced = tried["plans"]
    if not tried["landlock"]:
        missing.append("This kernel has no Landlock (Linux 5.13 and later have, unless it is switched off).")
    landlock = tried["landlock"] > 0
    alone = tried["landlock"] >= ENOUGH_ALONE
    if bubblewrap and not full:
        plan = _plan(bubblewrap, namespaces=True, landlock=landlock)
        return Findings(
            level=Level.FULL, missing=tuple(missing), bubblewrap=bubblewrap, plan=replace(plan, limits=limits)
        )
    if bubblewrap:
        missing.insert(0, f"A task cannot have namespaces of its own: {full}.")
    if alone and not reduced:
        plan = replace(_plan(bubblewrap, namespaces=False, landlock=True), limits=limits)
        return Findings(level=Level.REDUCED, missing=tuple(missing), fix=fix, bubblewrap=bubblewrap, plan=plan)
    if alone:
        missing.append(f"System calls cannot be filtered: {reduced}.")
    elif landlock:
        missing.append("This kernel's Landlock is too old to be enough without namespaces (Linux 6.2 and later do).")
    return None


def _tries(bubblewrap: str | None) -> dict[str, Any] | str:
    """What trial.py prints, or why it could not even begin."""
    plans = [_plan(bubblewrap, namespaces=each, landlock=True) for each in (True, False)]
    given = command.python("workers.sandbox.trial", *[each.encode() for each in plans], bubblewrap=bubblewrap)
    try:
        done = subprocess.run(
            given,
            env=command.environment(bubblewrap),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return dict(json.loads(done.stdout))
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip() or f"it ended with {error.returncode}"
        return str(said.rpartition("\n")[2])[:300].rstrip(".")
    except OSError as error:
        return f"{(error.strerror or str(error)).lower()} ({bubblewrap})"
    except (ValueError, subprocess.TimeoutExpired):
        return f"it gave no answer within {PATIENCE_SECONDS:g} s"


def _plan(bubblewrap: str | None, *, namespaces: bool, landlock: bool) -> Plan:
    return Plan(namespaces=namespaces, landlock=landlock, ours=command.ours(bubblewrap), in_view=bubblewrap is not None)


def _fix(bubblewrap: str | None) -> str:
    if bubblewrap is None:
        return INSTALL
    if not Path(bubblewrap).exists():
        return f"Put MILLRACE_BUBBLEWRAP right, or leave it out. {INSTALL}"
    for name, bad, fix in SWITCHES:
        if _read(f"/proc/sys/{name}") == bad:
            return f"Allow user namespaces: {fix}"
    if any(Path(each).exists() for each in CONTAINERS):
        return f"Allow namespaces in the container: {IN_CONTAINER}"
    return "Allow user namespaces for the user of the worker (see docs/code.md)."


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
