"""What an attempt's worker had installed, and what differs between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from apps.queues.models import Environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.tasks.models import Attempt

MOST_DIFFERENCES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """`packages`: version by name, in the order of the names."""

    python: str
    packages: dict[str, str]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Of what a worker announced; whatever is none of these in it is left out."""
        packages = data.get("packages")
        pairs = packages.items() if isinstance(packages, dict) else []
        named = sorted((str(name), str(version)) for name, version in pairs)
        return cls(python=str(data.get("python") or ""), packages=dict(sorted(named, key=lambda pair: pair[0].lower())))


@dataclass(frozen=True, slots=True)
class Difference:
    """A package of which two environments have another version; "" = it is not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Two attempts, one after the other, that ran in different environments."""

    before: Attempt
    after: Attempt
    differences: list[Difference]
    left_out: int


def changes(attempts: Sequence[Attempt]) -> list[Change]:
    """Asks the database only when some of the attempts differ."""
    known = [attempt for attempt in attempts if attempt.environment]
    pairs = [(before, after) for before, after in pairwise(known) if before.environment != after.environment]
    if not pairs:
        return []
    kept = Environment.objects.in_bulk({attempt.environment for pair in pairs for attempt in pair})
    installed = {digest: Installed.of(environment.data) for digest, environment in kept.items()}
    return [
        _change(before, after, installed)
        for before, after in pairs
        if before.environment in installed and after.environment in installed
    ]


def _change(before: Attempt, after: Attempt, installed: dict[str, Installed]) -> Change:
    found = differences(installed[before.environment], installed[after.environment])
    return Change(
        before=before,
        after=after,
        differences=found[:MOST_DIFFERENCES],
        left_out=max(len(found) - MOST_DIFFERENCES, 0),
    )


def differences(before: Installed, after: Installed) -> list[Difference]:
    then, now = ({"Python": each.python, **each.packages} for each in (before, after))
    names = sorted(then.keys() | now.keys(), key=str.lower)
    pairs = [Difference(name, then.get(name, ""), now.get(name, "")) for name in names]
    return [each for each in pairs if each.before != each.after]
