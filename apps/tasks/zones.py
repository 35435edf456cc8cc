"""In which time zone somebody reads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.http import HttpRequest


def zone_of(request: HttpRequest) -> tzinfo:
    """The reader's, as static/js/zone.js tells it."""
    try:
        return ZoneInfo(unquote(request.COOKIES.get("millrace_zone", "UTC")))
    except (ValueError, KeyError, OSError):  # what is no name, no zone, no file
        return ZoneInfo("UTC")
