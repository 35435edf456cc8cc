"""Workers' heartbeats, recorded: who is there, which queues they serve, which kinds they know."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, transaction

from apps.queues import environments
from apps.queues.models import Queue, Worker
from apps.tasks import kind_schemas
from apps.tasks.drafts import LONGEST_RUN_SECONDS, SHORTEST_RUN_SECONDS
from apps.tasks.models import KIND_LENGTH, Kind
from workers.broker import DEFAULT_QUEUE
from workers.messages import QUEUE_NAME_RULE, BadMessage, Heartbeat, decode_heartbeat, is_queue_name, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

FORGET_AFTER = timedelta(days=1)
MOST_QUEUES = 64  # of one worker: each is a queue in the broker too


def record(reports: Sequence[tuple[str, Any]], now: datetime) -> bool:
    """Whether a worker said goodbye, which a table of tasks would show.

    Each report: the worker's name and its heartbeat as JSON data. A malformed one is logged and passed over.
    """
    decoded = [(name[:200], beat) for name, data in reports if (beat := _decoded(name, data))]
    if not decoded:
        return False
    # In one order for everybody: two sinks with the same workers would deadlock on PostgreSQL otherwise.
    decoded.sort(key=itemgetter(0))
    beats = dict(decoded)
    # Of each the last one with kinds: a bare one may have come after it in the same batch.
    announcements = {name: beat for name, beat in decoded if beat.kinds is not None}
    try:
        with transaction.atomic():
            _write(beats, now)
            for name, beat in announcements.items():
                _announce(name, beat, now)
    except (DatabaseError, ArithmeticError, ValueError, RecursionError) as error:
        # What a forged one may still hold: outcomes in the same batch must not wait for it, again and again.
        log.warning("heartbeats passed over: %s", error)
        return False
    return any(beat.leaving for beat in beats.values())


def _write(beats: dict[str, Heartbeat], now: datetime) -> None:
    Worker.objects.bulk_create(
        [_worker(name, beat, now) for name, beat in beats.items()],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["running", "draining", "rss_bytes", "last_seen_at", "left_at"],
    )


def _decoded(name: str, data: Any) -> Heartbeat | None:
    try:
        return decode_heartbeat(data)
    except BadMessage as error:
        log.warning("heartbeat of %.100s passed over: %s", name, error)
        return None


def _worker(name: str, beat: Heartbeat, now: datetime) -> Worker:
    return Worker(
        name=name,
        host=beat.host[:200],
        pid=beat.pid,
        queues=beat.queues,
        concurrency=beat.concurrency,
        running=beat.running,
        draining=beat.draining,
        rss_bytes=beat.rss_bytes,
        started_at=now,
        last_seen_at=now,
        left_at=now if beat.leaving else None,
    )


def _announce(name: str, beat: Heartbeat, now: datetime) -> None:
    Worker.objects.filter(last_seen_at__lt=now - FORGET_AFTER).delete()
    kinds = sorted((_kind(data, now) for data in beat.kinds or [] if _is_kind(data)), key=attrgetter("name"))
    Worker.objects.filter(name=name).update(
        kinds=[kind.name for kind in kinds],
        **({} if beat.environment is None else {"environment": environments.keep(beat.environment)}),
    )
    queues = [Queue(name=queue) for queue in sorted(beat.queues[:MOST_QUEUES]) if _is_queue(queue)]
    Queue.objects.bulk_create(queues, ignore_conflicts=True)
    Kind.objects.bulk_create(
        kinds,
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["doc", "schema", "queue", "runs_code", *LIMITS, "announced_at"],
    )


def _is_queue(name: str) -> bool:
    if is_queue_name(name):
        return True
    log.warning("queue %.100r passed over: its name must be %s", name, QUEUE_NAME_RULE)
    return False


def _is_kind(data: dict[str, Any]) -> bool:
    name, doc, queue = data.get("name"), data.get("doc") or "", data.get("queue") or DEFAULT_QUEUE
    if not isinstance(name, str) or not 0 < len(name) <= KIND_LENGTH or not storable(name):
        log.warning("kind %.100r passed over: its name must be a text of 1 to %d characters", name, KIND_LENGTH)
    elif not isinstance(doc, str) or not storable(doc):
        log.warning("kind %s passed over: its doc must be a text", name)
    elif not isinstance(queue, str) or not is_queue_name(queue):
        log.warning("kind %s passed over: its queue's name must be %s", name, QUEUE_NAME_RULE)
    elif wrong := [limit for limit, fits in LIMITS.items() if data.get(limit) is not None and not fits(data[limit])]:
        log.warning("kind %s passed over: %s cannot be %.60r", name, wrong[0], data[wrong[0]])
    else:
        return _is_schema(name, data.get("schema"))
    return False


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value, 1, 100)


# What a kind may say of how it is run; left out or null: as the model has it.
LIMITS: dict[str, Callable[[Any], bool]] = {
    "timeout_seconds": lambda value: _is_number(value, SHORTEST_RUN_SECONDS, LONGEST_RUN_SECONDS),
    "max_attempts": _is_count,
    "max_crashes": _is_count,
    "retry_seconds": lambda value: _is_number(value, 0, 86_400),
}


def _is_schema(name: str, schema: Any) -> bool:
    try:
        kind_schemas.check(schema)
    except kind_schemas.Unusable as reason:
        log.warning("kind %s passed over: its schema cannot be used. %s", name, reason)
        return False
    return True


def _kind(data: dict[str, Any], now: datetime) -> Kind:
    return Kind(
        name=data["name"],
        doc=data.get("doc") or "",
        schema=data["schema"],
        queue=data.get("queue") or DEFAULT_QUEUE,
        runs_code=data.get("runs_code") is True,
        announced_at=now,
        **{limit: data[limit] for limit in LIMITS if data.get(limit) is not None},
    )
