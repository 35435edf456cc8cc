"""Where things are: the repository, the folder of downloads, the data folder."""

import os
from pathlib import Path

from devstack.screen import Stop

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"


def var() -> Path:
    return Path(os.environ.get("MILLRACE_VAR") or ROOT / "var").expanduser().absolute()


def short(path: Path) -> str:
    """The path as a person in the repository's folder would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def make_private(folder: Path) -> None:
    """Make it if it is not there; nobody else may look into it. Raises Stop."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077 and not (folder / "secrets.json").exists() and any(folder.iterdir()):
            # Somebody's home or /tmp: closing that for everybody else would do harm.
            raise Stop(f"{short(folder)} holds other files; name a new or an empty folder", code=2)
        folder.chmod(0o700)
    except OSError as error:
        raise Stop(f"{short(folder)} cannot be used: {(error.strerror or str(error)).lower()}", code=2) from None
