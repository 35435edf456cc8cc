"""Reads of workers: who is alive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models

from apps.tasks.clock import now_in_query

if TYPE_CHECKING:
    from apps.queues.models import Worker  # noqa: F401 named in a base class below

# Three heartbeats missed.
SILENT_AFTER = timedelta(seconds=15)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> Self:
        """The workers that were heard from lately and have not said goodbye."""
        return self.filter(left_at__isnull=True, last_seen_at__gt=now_in_query() - SILENT_AFTER)
