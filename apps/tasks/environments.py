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
MACHINE = {"python": "Python", "platform": "Platform", "cpus": "CPUs", "sandbox": "Sandbox"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """`machine`: what is known besides packages, each with its name. `packages`: version by name, in their order."""

    machine: dict[str, str]
    packages: dict[str, str]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Of what a worker announced; whatever is none of these in it is left out."""
        packages = data.get("packages")
        pairs = packages.items() if isinstance(packages, dict) else []
        named = sorted((str(name), str(version)) for name, version in pairs)
        return cls(
            machine={label: str(data[name]) for name, label in MACHINE.items() if data.get(name)},
            packages=dict(sorted(named, key=lambda pair: pair[0].lower())),
        )


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
    found = [
        _change(before, after, installed)
        for before, after in pairs
        if before.environment in installed and after.environment in installed
    ]
    return [change for change in found if change.differences]  # what is said of a sandbox is no difference


def _change(before: Attempt, after: Attempt, installed: dict[str, Installed]) -> Change:
    found = differences(installed[before.environment], installed[after.environment])
    return Change(
        before=before,
        after=after,
        differences=found[:MOST_DIFFERENCES],
        left_out=max(len(found) - MOST_DIFFERENCES, 0),
    )


def differences(before: Installed, after: Installed) -> list[Difference]:
    return [*_differences(before.machine, after.machine), *_differences(before.packages, after.packages)]


def _differences(before: dict[str, str], after: dict[str, str]) -> list[Difference]:
    names = sorted(before.keys() | after.keys(), key=str.lower)
    pairs = [Difference(name, before.get(name, ""), after.get(name, "")) for name in names]
    return [each for each in pairs if each.before != each.after]
