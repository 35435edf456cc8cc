"""Where things are: the repository, the folder of downloads, the data folder."""

import contextlib
import os
import pwd
import stat
from pathlib import Path

from devstack.screen import Stop

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"


def var() -> Path:
    return Path(os.environ.get("MILLRACE_VAR") or ROOT / "var").expanduser().absolute()


def kept_port(folder: Path) -> int:
    """The one on which the web of this data folder answers, or did last; the usual one before it ever did."""
    with contextlib.suppress(OSError, ValueError):
        return int((folder / "port").read_text())
    return 8000


def short(path: Path) -> str:
    """The path as a person in the repository's folder would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def check(folder: Path) -> None:
    """Raises Stop when it cannot be the data folder; makes nothing."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    try:
        if not stat.S_ISDIR(there.stat().st_mode):
            raise Stop(f"{short(folder)} cannot be used: {short(there)} is not a folder", code=2)
        if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
            why = not_open(there / "secrets.json") or f"{short(there)} may not be written"
            raise Stop(f"{short(folder)} cannot be used: {why}", code=2)
        stands_open = there == folder and folder.stat().st_mode & 0o077
        if stands_open and not (folder / "secrets.json").exists() and any(folder.iterdir()):
            # Somebody's home or /tmp: closing that for everybody else would do harm.
            raise Stop(f"{short(folder)} holds other files; name a new or an empty folder", code=2)
    except OSError as error:
        raise cannot_be_used(folder, error) from None


def make_private(folder: Path) -> None:
    """Make it if it is not there; nobody else may look into it. Raises Stop."""
    check(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise cannot_be_used(folder, error) from None


def cannot_be_used(path: Path, error: OSError) -> Stop:
    return Stop(f"{short(path)} cannot be used: {(error.strerror or str(error)).lower()}", code=2)


def not_open(path: Path) -> str:
    """What on the way to this file the present user may not use, and who may; empty when it is open to them."""
    for part in [*reversed(path.parents), path]:
        wanted = {path: os.R_OK | os.W_OK, path.parent: os.W_OK | os.X_OK}.get(part, os.X_OK)
        if os.access(part, os.F_OK, effective_ids=True) and not os.access(part, wanted, effective_ids=True):
            owner, user = _name_of(part.stat().st_uid), _name_of(os.geteuid())
            if owner == user:
                look = "look at its permissions, and whether its file system is read-only"
                return f"{short(part)} is not open to the user {user}, to whom it belongs: {look}"
            return f"{short(part)} is not open to the user {user}; run this as {owner}, to whom it belongs"
    return ""


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"with the number {uid}"
