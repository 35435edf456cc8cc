"""What Prometheus is told of queues, workers and health: what stands on their pages, in its text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.queues import figures, queue_table, report
from apps.queues.models import Minute

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

    from apps.accounts.permissions import Person

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CAPPED = f"Counted up to {figures.COUNT_CAP:,}: one more means more."
LAST_MINUTE = "in the last whole minute that was counted."


def text(user: Person) -> bytes:
    # It takes a tenth of a second to load: only where somebody asks for it.
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    class Collector:
        def collect(self) -> list[GaugeMetricFamily]:
            return [*_of_queues(user), *_of_the_last_minute(), *_of_health()]

    registry = CollectorRegistry()
    registry.register(Collector())
    return generate_latest(registry)


def _of_queues(user: Person) -> list[GaugeMetricFamily]:
    table = queue_table.read(user)
    waiting = _gauge("queue_waiting", f"Tasks that could begin at once. {CAPPED}", "queue")
    scheduled = _gauge("queue_scheduled", f"Tasks for later, or waiting for their next try. {CAPPED}", "queue")
    running = _gauge("queue_running", f"Tasks that run. {CAPPED}", "queue")
    oldest = _gauge("queue_oldest_seconds", "For how long the one that waits longest could have begun by now.", "queue")
    workers = _gauge("queue_workers", "Workers that serve it and take tasks.", "queue")
    slots = _gauge("queue_slots", "Tasks that these can run at a time.", "queue")
    paused = _gauge("queue_paused", "1 while nothing of it begins.", "queue")
    for row in table.rows:
        of = row.figures
        waiting.add_metric([row.name], of.waiting)
        scheduled.add_metric([row.name], of.later)
        running.add_metric([row.name], of.running)
        oldest.add_metric([row.name], max(0.0, (table.now - of.oldest).total_seconds()) if of.oldest else 0.0)
        workers.add_metric([row.name], row.workers)
        slots.add_metric([row.name], row.slots)
        paused.add_metric([row.name], bool(row.pause))
    return [waiting, scheduled, running, oldest, workers, slots, paused]


def _of_the_last_minute() -> list[GaugeMetricFamily]:
    last = Minute.objects.order_by("-at").values("at")[:1]
    minutes = list(Minute.objects.filter(at=last).order_by("queue"))
    found = []
    for what in ("created", "finished", "failed", "cancelled"):
        gauge = _gauge(f"tasks_{what}_per_minute", f"Tasks {what} {LAST_MINUTE}", "queue")
        for minute in minutes:
            gauge.add_metric([minute.queue], getattr(minute, what))
        found.append(gauge)
    return found


def _of_health() -> list[GaugeMetricFamily]:
    parts = report.parts()
    well = _gauge("well", "Whether a part of the system is well; `/readyz` says what is wrong.", "part")
    for name, part in parts.items():
        well.add_metric([name], part["ok"])
    alive = _gauge("workers", "Workers that were heard from lately and have not said goodbye.")
    alive.add_metric([], parts["workers"].get("count", 0))
    return [well, alive]


def _gauge(name: str, help_text: str, *labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 as above

    return GaugeMetricFamily(f"millrace_{name}", help_text, labels=labels)
