"""Which of a task's parameters are code that a person wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.tasks.checks import form_schema
from apps.tasks.params import code_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.tasks.models import Kind


def names_of(kind: Kind | None) -> Sequence[str]:
    """Of a kind that is not known any more, the usual one."""
    return code_names(form_schema(kind), kind.schema) if kind else ["code"]


def of(params: Any, names: Sequence[str]) -> dict[str, str]:
    """Those of these names that hold a text."""
    given = params if isinstance(params, dict) else {}
    return {name: given[name] for name in names if isinstance(given.get(name), str)}
