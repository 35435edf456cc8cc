"""The faults as Django's own checks, so that `check --deploy` and `doctor --deploy` tell the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 Django's name for it

from config import faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.faults import Fault

TAG = "millrace"


@register(TAG)
def check_anywhere(**_more: Any) -> list[CheckMessage]:
    return messages(faults.anywhere(settings))


@register(TAG, deploy=True)
def check_deploy(**_more: Any) -> list[CheckMessage]:
    return messages(faults.of_deploy(settings, os.environ))


@register(TAG, Tags.database)
def check_database(databases: Sequence[str] | None = None, **_more: Any) -> list[CheckMessage]:
    """Asked for by `check --database default`, and by the doctor."""
    if not databases:
        return []
    from config import connections  # noqa: PLC0415 no start needs it

    return messages(connections.of_database())


def messages(found: Iterable[Fault]) -> list[CheckMessage]:
    return [(Error if fault.is_error else Warning)(fault.what, hint=fault.fix, id=fault.id) for fault in found]
