"""Finds bubblewrap, which shuts in code written in the browser: the machine's own, or Debian's unpacked."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

from devstack import commands, debs, places, screen

UNPACKED = places.CACHE / "bubblewrap"
STARTER = UNPACKED / "start"


def find() -> str | None:
    """Its path."""
    given = os.environ.get("MILLRACE_BUBBLEWRAP")
    return given or shutil.which("bwrap") or (str(STARTER) if STARTER.exists() else None)


def environment() -> dict[str, str]:
    """What workers have to know of one that is not installed."""
    found = find()
    return {"MILLRACE_BUBBLEWRAP": found} if found else {}


def fetch() -> None:
    """Without a word when it cannot be had: everything else runs, and the worker says what code would need."""
    if debs.available() and not find():
        with contextlib.suppress(commands.CommandFailed):
            debs.unpack("bubblewrap", UNPACKED, adapt=_write_starter)


def _write_starter(root: Path) -> None:
    """Its libraries may be missing as well."""
    starter = root / STARTER.name
    starter.write_text(f"""\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="{debs.library_path(root, "$here")}"
exec "$here/usr/bin/bwrap" "$@"
""")
    starter.chmod(0o755)


if __name__ == "__main__":
    sys.exit(screen.run(fetch))
