"""Finds a browser for the tests: one that is installed, Debian's unpacked below `.cache/`, or Playwright's own."""

import contextlib
import ctypes.util
import os
import shutil
import sys
from pathlib import Path

from devstack import commands, debs, places, screen, venv
from devstack.screen import Stop, step

INSTALLED = ("chromium", "google-chrome", "google-chrome-stable")  # Ubuntu's chromium-browser only fetches a snap
PACKAGE = "chromium-headless-shell"
UNPACKED = places.CACHE / "chromium"
STARTER = UNPACKED / "start"
LIBATOMIC = places.CACHE / "libatomic"
PLAYWRIGHTS = places.CACHE / "playwright"
LOG = places.CACHE / "browser.log"


def environment() -> dict[str, str]:
    """What the tests have to know to drive a browser, which is fetched if there is none."""
    libraries = _libraries_of_playwright()  # first: its own browser is fetched by it
    return {"LD_LIBRARY_PATH": libraries, "MILLRACE_BROWSER": find() or _from_playwright(libraries)}


def find() -> str | None:
    found = (os.environ.get("MILLRACE_BROWSER"), *map(shutil.which, INSTALLED), *_fetched())
    return next(filter(None, found), None)


def fetch() -> None:
    """Debian's, without a word when it cannot be had: `environment` then knows another source."""
    if debs.available() and not find():
        with contextlib.suppress(commands.CommandFailed):
            debs.unpack(PACKAGE, UNPACKED, adapt=_write_starter)


def _fetched() -> list[str]:
    starters = [STARTER] if STARTER.exists() else []
    return [str(path) for path in (*starters, *PLAYWRIGHTS.glob("chromium_headless_shell-*/*/*headless*shell"))]


def _libraries_of_playwright() -> str:
    """LD_LIBRARY_PATH with the one library that its driver needs and a small system lacks."""
    if ctypes.util.find_library("atomic") or not debs.available():
        return os.environ.get("LD_LIBRARY_PATH", "")
    if not LIBATOMIC.exists():
        try:
            debs.unpack("libatomic1", LIBATOMIC)
        except commands.CommandFailed as error:
            raise Stop(f"libatomic1, which Playwright needs, cannot be had from apt: {error.last_line}") from None
    return debs.library_path(LIBATOMIC)


def _from_playwright(libraries: str) -> str:
    """Where apt has no Chromium, as on Ubuntu."""
    into = {**os.environ, "LD_LIBRARY_PATH": libraries, "PLAYWRIGHT_BROWSERS_PATH": str(PLAYWRIGHTS)}
    with step("Chromium from Playwright"):
        try:
            commands.run(venv.PYTHON, "-m", "playwright", "install", "--only-shell", "chromium", environment=into)
        except commands.CommandFailed as error:
            LOG.write_text(str(error))
    if found := find():
        return found
    raise Stop(
        "no browser for the tests: install Chromium or Chrome, or set MILLRACE_BROWSER to one"
        f" (why none could be had: {places.short(LOG)})",
        code=2,
    )


def _write_starter(root: Path) -> None:
    """Debian's own starter expects everything below /usr."""
    starter = root / STARTER.name
    starter.write_text(f"""\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="{debs.library_path(root, "$here")}"
export FONTCONFIG_PATH="$here/etc/fonts" XDG_DATA_HOME="$here/usr/share"
exec "$here/usr/lib/chromium/{PACKAGE}" "$@"
""")
    starter.chmod(0o755)


if __name__ == "__main__":
    sys.exit(screen.run(fetch))
