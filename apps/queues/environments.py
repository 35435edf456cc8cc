"""What workers have installed: each environment kept once, and which worker has which."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.core.cache import cache

from apps.queues.models import DIGEST_LENGTH, Environment, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable

REMEMBERED_SECONDS = 60


def keep(data: dict[str, Any]) -> str:
    """The digest under which it is kept."""
    text = json.dumps(data, sort_keys=True).encode()
    digest = hashlib.blake2b(text, digest_size=DIGEST_LENGTH // 2).hexdigest()
    Environment.objects.bulk_create([Environment(digest=digest, data=data)], ignore_conflicts=True)
    return digest


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
