"""Reads of queues and workers: which are paused, who is alive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models

from apps.tasks.clock import now_in_query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apps.queues.models import Queue, Worker  # noqa: F401 named in base classes below
    from apps.tasks.models import Kind

# Three heartbeats missed.
SILENT_AFTER = timedelta(seconds=15)
LOST_FOR = timedelta(hours=1)


class QueueQuerySet(models.QuerySet["Queue"]):
    def paused(self) -> Self:
        return self.filter(paused_at__isnull=False)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> Self:
        """The workers that were heard from lately and have not said goodbye."""
        return self.filter(left_at__isnull=True, last_seen_at__gt=now_in_query() - SILENT_AFTER)

    def lost(self) -> Self:
        """The workers that went silent within the last hour without a goodbye."""
        now = now_in_query()
        silent = {"last_seen_at__lte": now - SILENT_AFTER, "last_seen_at__gt": now - LOST_FOR}
        return self.filter(left_at__isnull=True, **silent)

    def told(self) -> Self:
        """Those with an order that have not said goodbye: a silent one may be back and ask what it is to do."""
        return self.exclude(order="").filter(left_at__isnull=True)

    def without(self, kinds: Iterable[Kind]) -> set[str]:
        """The names of those kinds that no worker runs: it has not announced them, serves another queue, or rests."""
        served = list(self.alive().filter(draining=False, order="").values_list("kinds", "queues"))
        return {kind.name for kind in kinds if not any(kind.name in own and kind.queue in at for own, at in served)}
