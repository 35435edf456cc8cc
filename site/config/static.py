"""Addresses of static files that change with the file: after an upgrade no browser goes on with what it had kept."""

import contextlib
import hashlib
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class VersionedStaticFiles(StaticFilesStorage):
    """No files are collected or renamed: the version stands behind the question mark, which WhiteNoise passes over."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, tuple[Path, int, str]] = {}  # by name: the file, when it was changed, its address

    def url(self, name: str | None) -> str:
        # Whether a file has changed is all that is asked of one that is known: a page names dozens.
        with contextlib.suppress(KeyError, OSError):
            file, changed_at, address = self._known[name or ""]
            if file.stat().st_mtime_ns == changed_at:
                return address
        found = finders.find(name) if name else None
        if not (name and isinstance(found, str)):
            return super().url(name)
        file = Path(found)
        changed_at = file.stat().st_mtime_ns
        address = f"{super().url(name)}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:8]}"
        self._known[name] = file, changed_at, address
        return address
