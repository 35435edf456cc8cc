"""What workers have installed: each environment kept once, and which worker has which."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from django.core.cache import cache

from apps.queues.models import DIGEST_LENGTH, Environment, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable

REMEMBERED_SECONDS = 60
MOST_MISSING = 5
TEXT_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An environment in short. `missing`, `fix`: what its sandbox lacks, and the line that would mend it."""

    digest: str
    python: str
    packages: int
    sandbox: str  # "" when the worker runs no code
    missing: tuple[str, ...]
    fix: str

    @classmethod
    def of(cls, digest: str, data: dict[str, Any]) -> Self:
        """Of what a worker announced; older ones do not say what is missing."""
        packages, missing = data.get("packages"), data.get("sandbox_missing")
        sentences = missing[:MOST_MISSING] if isinstance(missing, list) else []
        return cls(
            digest=digest,
            python=_text(data.get("python")),
            packages=len(packages) if isinstance(packages, dict) else 0,
            sandbox=_text(data.get("sandbox")),
            missing=tuple(filter(None, map(_text, sentences))),
            fix=_text(data.get("sandbox_fix")),
        )

    @property
    def is_less(self) -> bool:
        """Whether its sandbox shuts code in less well than one can."""
        return self.sandbox not in ("", "full")


def _text(value: Any) -> str:
    return value[:TEXT_LENGTH] if isinstance(value, str) else ""


def keep(data: dict[str, Any]) -> str:
    """The digest under which it is kept."""
    text = json.dumps(data, sort_keys=True).encode()
    digest = hashlib.blake2b(text, digest_size=DIGEST_LENGTH // 2).hexdigest()
    Environment.objects.bulk_create([Environment(digest=digest, data=data)], ignore_conflicts=True)
    return digest


def nobody_shuts_in(kind: str) -> bool:
    """Whether this kind, which runs code, is taken by workers none of which has a sandbox, so that it is refused."""
    told = Worker.objects.alive().values_list("kinds", "environment__data__sandbox")
    levels = {level for kinds, level in told if kind in kinds}
    return levels == {"none"}


def of_workers(names: Iterable[str]) -> dict[str, str]:
    """The digest of each worker that has announced its environment; asks only for those it has not met lately."""
    keys = {f"environment:{name}": name for name in names}
    known = cache.get_many(keys)
    if missing := {key: keys[key] for key in keys if key not in known}:
        found = Worker.objects.filter(name__in=missing.values(), environment__isnull=False)
        digests = {f"environment:{name}": digest for name, digest in found.values_list("name", "environment")}
        # A worker's name is that of one process, whose environment stays as it is.
        cache.set_many(digests, REMEMBERED_SECONDS)
        known.update(digests)
    return {keys[key]: digest for key, digest in known.items()}


def summaries(digests: Iterable[str]) -> dict[str, Summary]:
    """By digest; what is kept under one never changes, so it is asked for only once in a while."""
    keys = {f"environment-in-short:{digest}": digest for digest in digests}
    known: dict[str, Summary] = cache.get_many(keys)
    if missing := [digest for key, digest in keys.items() if key not in known]:
        found = Environment.objects.in_bulk(missing)
        made = {f"environment-in-short:{digest}": Summary.of(digest, kept.data) for digest, kept in found.items()}
        cache.set_many(made)
        known.update(made)
    return {keys[key]: summary for key, summary in known.items()}
