"""Text without regard to capital and small letters: SQLite's LIKE knows only those of ASCII."""

import re
from typing import Final

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.lookups import IContains, IRegex

PATTERNS: Final = {"icontains": "{}", "iexact": r"\A{}\Z"}


def folded(lookup: str, text: str) -> Q:
    """`lookup`: a column's, such as name__icontains; one that does not fold is left as it is."""
    column, _, way = lookup.rpartition("__")
    if way not in PATTERNS or not _needs_regex(text):
        return Q(**{lookup: text})
    return Q(**{f"{column}__iregex": PATTERNS[way].format(re.escape(text))})


def holds(value: Combinable, text: str) -> Q:
    return Q(IRegex(value, re.escape(text)) if _needs_regex(text) else IContains(value, text))


def _needs_regex(text: str) -> bool:
    """It takes longer: SQLite calls Python for each row."""
    return connection.vendor == "sqlite" and not text.isascii()
