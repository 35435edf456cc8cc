"""Debian packages without root and without installing: resolved and verified by apt, unpacked into a folder of ours."""

import fcntl
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from devstack import commands, places

FOLDER = places.CACHE / "debs"
LISTS_HOURS = 6


def available() -> bool:
    return all(shutil.which(program) for program in ("apt-get", "dpkg-deb", "dpkg-query"))


def unpack(package: str, target: Path, *, whole_family: str = "", adapt: Callable[[Path], None] | None = None) -> None:
    """Put a package and all it needs that is not installed below `target`, whole or not at all.

    `whole_family` is a prefix of packages that must be there even if installed: Erlang finds its parts in one root.
    `adapt` makes it run from where it is. Raises CommandFailed with apt's own words.
    """
    _update_lists()
    names = _missing(package) + (_installed(f"{whole_family}*") if whole_family else [])
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    # apt has room for some 300 characters of the current folder's name; in a deeper one it would write into /.
    with tempfile.TemporaryDirectory() as archives:
        _apt("download", *names, cwd=Path(archives))
        for archive in sorted(Path(archives).glob("*.deb")):
            commands.run("dpkg-deb", "-x", archive, fresh)
    if adapt:
        adapt(fresh)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def library_path(root: Path, seen_as: str = "") -> str:
    """LD_LIBRARY_PATH for a program that runs from an unpacked root; `seen_as` is a shell's word for the root."""
    triplet = f"{platform.machine()}-linux-gnu"
    main = [Path("usr/lib", triplet), Path("lib", triplet)]
    # Some packages keep libraries one folder deeper, where only their installed neighbours look.
    deeper = {library.parent.relative_to(root) for library in root.glob(f"usr/lib/{triplet}/*/lib*.so*")}
    return ":".join(f"{seen_as or root}/{folder}" for folder in [*main, *sorted(deeper)])


def _missing(package: str) -> list[str]:
    plan = _apt("install", "--simulate", "--no-install-recommends", package)
    return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]


def _installed(pattern: str) -> list[str]:
    try:
        known = commands.run("dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package}\n", pattern)
    except commands.CommandFailed:  # nothing matches
        return []
    return [line.split()[1] for line in known.splitlines() if line.startswith("ii ")]


def _update_lists() -> None:
    """Lists of our own: those of a fresh machine are empty, and only root may fill them."""
    for part in ("lists/partial", "cache/archives/partial"):
        (FOLDER / part).mkdir(parents=True, exist_ok=True)
    stamp = FOLDER / "updated"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several packages may be fetched at a time
        if not stamp.exists() or time.time() - stamp.stat().st_mtime > LISTS_HOURS * 3600:
            _apt("update")
            stamp.touch()


def _apt(command: str, *arguments: str, cwd: Path = places.ROOT) -> str:
    options = {
        "Dir::State::lists": str(FOLDER / "lists"),
        "Dir::Cache": str(FOLDER / "cache"),
        # Images for containers switch these off; without them every call reads all lists anew.
        "Dir::Cache::pkgcache": "pkgcache.bin",
        "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
        "APT::Sandbox::User": "root",  # no second user who could not read this folder
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
    }
    settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    in_english = {**os.environ, "LC_ALL": "C.UTF-8"}
    return commands.run("apt-get", "-qq", *settings, command, *arguments, cwd=cwd, environment=in_english)
