"""Addresses of static files that change with the file: after an upgrade no browser goes on with what it had kept."""

import hashlib
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class VersionedStaticFiles(StaticFilesStorage):
    """No files are collected or renamed: the version stands behind the question mark, which WhiteNoise passes over."""

    def url(self, name: str | None) -> str:
        found = finders.find(name) if name else None
        address = super().url(name)
        return f"{address}?v={_version(found, Path(found).stat().st_mtime_ns)}" if isinstance(found, str) else address


@cache
def _version(path: str, changed_at: int) -> str:  # noqa: ARG001 a changed file has another version
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]
