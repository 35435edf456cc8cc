"""The virtual environment in `.venv`, exactly as a lock file says, every package checked by its hash."""

import contextlib
import hashlib
import os
import re
import shutil
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

from devstack import commands, debs, places
from devstack.screen import Stop, step

RUN = "requirements.lock"
TESTS = "requirements-dev.lock"  # holds the other one too
PYTHON = places.VENV / "bin" / "python"
LOG = places.CACHE / "setup.log"
# A company's own certificates are the system's, not those that uv brings along.
UV_CERTIFICATES = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}


UNREACHABLE = {
    r"Name or service not known|name resolution|nodename nor servname|dns error": "its name cannot be resolved",
    r"Connection refused": "the connection is refused",
    r"[Tt]imed out": "it does not answer in time",
    r"Network is unreachable|No route to host": "there is no way to it",
    r"[Cc]ertificate|CERTIFICATE": "its certificate is not trusted",
}


def ensure(lock: str) -> None:
    """Make it, or bring it up to date; does nothing when it is as the lock says."""
    # Its packages are compiled at their first import: where that is never kept, every process would do it again (1 s).
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if _is_current(lock):
        return
    with step("Python packages" if lock == RUN else "Python packages and tools"):
        try:
            _make()
            _install(lock)
        except commands.CommandFailed as error:
            LOG.write_text(str(error))
            raise Stop(f"cannot install them: {_reason(error)} (more in {places.short(LOG)})") from None
    installed = (RUN, TESTS) if lock == TESTS else (RUN,)
    _stamp().write_text("".join(f"{_digest(name)} {name}\n" for name in installed) + f"at {places.VENV}\n")


def _reason(error: commands.CommandFailed) -> str:
    """pip says at last that there is no such package, also when it could ask nobody for it."""
    whys = (why for pattern, why in UNREACHABLE.items() if re.search(pattern, str(error)))
    if why := next(whys, None):
        return f"the package index cannot be reached: {why}"
    return error.last_line


def _is_current(lock: str) -> bool:
    return f"{_digest(lock)} {lock}" in _stamped() and not _was_moved()


def _digest(lock: str) -> str:
    """Another Python behind the same link, as after an upgrade of the system, does not see the packages either."""
    behind = str(PYTHON.resolve()) if PYTHON.exists() else ""
    return hashlib.sha256((places.ROOT / lock).read_bytes() + behind.encode()).hexdigest()


def _stamp() -> Path:
    return places.VENV / "installed"


def _stamped() -> list[str]:
    return _stamp().read_text().splitlines() if _stamp().exists() else []


def _was_moved() -> bool:
    """With its checkout: the programs in it still name the folder where they were installed."""
    return any(line.startswith("at ") and line != f"at {places.VENV}" for line in _stamped())


def _make() -> None:
    if PYTHON.exists() and not _was_moved() and any(places.VENV.glob(f"lib/{PYTHON.resolve().name}*/site-packages")):
        return
    shutil.rmtree(places.VENV, ignore_errors=True)
    # Not through another environment's link, which would be this very .venv when it is activated.
    commands.run(Path(sys.executable).resolve(), "-m", "venv", "--without-pip", places.VENV)


def _install(lock: str) -> None:
    # The lock is complete: nothing is left to be resolved.
    arguments = ("install", "--quiet", "--no-deps", "--require-hashes", "-r", lock)
    if uv := _uv():
        # uv gives up without a home to keep its cache in.
        cache = () if os.access(os.environ.get("HOME", ""), os.W_OK) else ("--no-cache",)
        in_uv = (uv, "pip", arguments[0], *cache, "--python", PYTHON, *arguments[1:])
        commands.run(*in_uv, environment={**UV_CERTIFICATES, **os.environ})
        return
    _add_pip()
    # Compiling all costs 8 s of the 22.
    commands.run(PYTHON, "-m", "pip", "--disable-pip-version-check", *arguments, "--no-compile")


def _uv() -> str | None:
    """Not one that a version manager put on the path for another version."""
    uv = shutil.which("uv")
    with contextlib.suppress(commands.CommandFailed):
        return uv if uv and commands.run(uv, "--version") else None
    return None


def _add_pip() -> None:
    """Unpack the wheel that every Python has for new environments; on a fresh Debian it is a package of its own."""
    target = next(places.VENV.glob("lib/python3*/site-packages"))
    if (target / "pip").exists():
        return
    wheel = next(_pip_wheels(), None)
    if wheel is None:
        raise Stop("this Python has no pip: apt-get install python3-venv, or install uv", code=2)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)


def _pip_wheels() -> Iterator[Path]:
    unpacked = places.CACHE / "pip"
    folders = (
        Path(sysconfig.get_path("stdlib")) / "ensurepip/_bundled",
        Path("/usr/share/python-wheels"),
        unpacked / "usr/share/python-wheels",
    )
    for folder in folders:
        yield from folder.glob("pip-*.whl")
    if debs.available():
        with contextlib.suppress(commands.CommandFailed):
            debs.unpack("python3-pip-whl", unpacked)
        yield from folders[-1].glob("pip-*.whl")
