"""The rows of a table of API tokens: those that are valid first, and the last of those that are over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.accounts import abilities, tokens
from apps.accounts.permissions import Scope

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import Token

MOST_VALID = 500
MOST_OVER = 20


@dataclass(frozen=True, slots=True)
class Row:
    token: Token
    standing: tokens.Standing

    @property
    def is_valid(self) -> bool:
        return self.standing == tokens.Standing.VALID

    @property
    def scopes(self) -> list[str]:
        """In short, in the usual order."""
        return [abilities.SCOPES[scope].partition(":")[0] for scope in Scope if scope in self.token.scopes]


def rows(found: QuerySet[Token]) -> list[Row]:
    newest = found.select_related("user").order_by("-pk")
    valid = list(tokens.valid(newest)[:MOST_VALID])
    over = newest.exclude(pk__in=[token.pk for token in valid])[:MOST_OVER]
    return [Row(token, tokens.standing(token)) for token in [*valid, *over]]
