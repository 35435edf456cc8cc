"""Where the server is and who asks: from the environment, or the token from a file that nobody else can read."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

from millrace.errors import Misconfigured

URL, TOKEN = "MILLRACE_URL", "MILLRACE_API_TOKEN"
DEFAULT_URL = "http://127.0.0.1:8000"


def url(given: str | None = None) -> str:
    """Without a slash at its end. Raises Misconfigured."""
    address = (given or os.environ.get(URL) or DEFAULT_URL).rstrip("/")
    if not _is_sound(address):
        shown = re.sub(r"^([^/@]*://)?.*@", r"\1", address, flags=re.DOTALL)  # it may hold a password
        without = "" if shown == address else ", without a user"
        raise Misconfigured(f"{URL} must look like https://tasks.example.org{without} (it is {shown!r})")
    return address


def token(given: str | None = None) -> str:
    """Raises Misconfigured."""
    found = given or os.environ.get(TOKEN) or _kept()
    if not found.isascii() or not found.isprintable() or " " in found:
        raise Misconfigured("the token has characters that no token has: copy it again, alone on its line")
    return found


def token_file() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "millrace" / "token"


def _is_sound(address: str) -> bool:
    try:
        parts = urlsplit(address)
        (parts.hostname or "").encode("idna")
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    more = parts.query or parts.fragment or "@" in parts.netloc
    return bool(named and not more and parts.path.isascii() and address.isprintable() and " " not in address)


def _kept() -> str:
    file = token_file()
    try:
        with file.open(encoding="utf-8") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read(1_000).strip()
    except FileNotFoundError:
        raise Misconfigured(f"no token: set {TOKEN}, or write it to {file} (chmod 600)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"cannot read the token in {file}: {error}") from None
    if mode & 0o077:
        raise Misconfigured(f"others can read {file} (mode {mode:o}): chmod 600 {file}")
    if not text:
        raise Misconfigured(f"{file} is empty: write the token to it")
    return text
