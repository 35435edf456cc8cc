"""Whether each part of the system is there, in one sentence each."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Q

from apps.queues.models import Pulse, Worker
from apps.tasks.clock import database_now

# Relay and sink give a sign of life every 5 s at the latest.
SILENT_AFTER = timedelta(seconds=12)
CANARY = "canary"


def report() -> dict[str, Any]:
    """`{"ready": bool, "database": {"ok", "detail"}, "broker", "relay", "sink", "workers": {..., "count"}}`."""
    try:
        pulses = {pulse.name: pulse for pulse in Pulse.objects.all()}
        workers = Worker.objects.alive().count()
    except DatabaseError:
        connection.close()
        unknown = _part("Unknown while the database is away.", ok=False)
        parts = {"database": _part("The database does not answer.", ok=False)}
        return {"ready": False, **parts, "broker": unknown, "relay": unknown, "sink": unknown, "workers": unknown}
    parts = {
        "database": _part("Answers.", ok=True),
        "broker": _pulse(
            pulses.get("broker"), "The relay reaches the broker.", "The relay, which watches it, is away."
        ),
        "relay": _pulse(pulses.get("relay"), "Running.", "No sign of life: new tasks wait until it is back."),
        "sink": _pulse(
            pulses.get("sink"), "Running.", "No sign of life: outcomes wait in the broker until it is back."
        ),
    }
    detail = f"{workers} connected." if workers else "No worker is connected: tasks wait until one is."
    return {
        "ready": all(part["ok"] for part in parts.values()),
        **parts,
        "workers": {**_part(detail, ok=workers > 0), "count": workers},
    }


def beat(name: str, trouble: str = "") -> None:
    """Note a sign of life."""
    beat_all({name: trouble})


def beat_all(troubles: Mapping[str, str]) -> None:
    """Note a sign of life of each, with what troubles it: a sentence, empty when all is well."""
    now = database_now()
    Pulse.objects.bulk_create(
        [Pulse(name=name, seen_at=now, trouble=trouble) for name, trouble in troubles.items()],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["seen_at", "trouble"],
    )


def beat_now_and_then(name: str) -> None:
    """The same for a caller that is called often: at most one write in 2 s and process."""
    if time.monotonic() - _last_beats.get(name, -60) > 2:
        beat(name)
        _last_beats[name] = time.monotonic()


_last_beats: dict[str, float] = {}


def record_canary(sent: float, now: datetime) -> None:
    """Note that what the relay sent at `sent` (seconds since 1970 by the database's clock) has come home."""
    if sent > now.timestamp():
        return  # not the relay's
    sent_at = datetime.fromtimestamp(sent, UTC)
    Pulse.objects.bulk_create([Pulse(name=CANARY, seen_at=now, sent_at=sent_at)], ignore_conflicts=True)
    # An older one changes nothing, unless the clock was put back.
    older = Q(sent_at__lt=sent_at) | Q(sent_at__gt=now)
    Pulse.objects.filter(older, name=CANARY).update(seen_at=now, sent_at=sent_at)


def canary_home() -> datetime | None:
    """When the youngest of the canaries that have come home was sent."""
    return Pulse.objects.filter(name=CANARY).values_list("sent_at", flat=True).first()


def _pulse(pulse: Pulse | None, fine: str, silent: str) -> dict[str, Any]:
    if pulse is None or pulse.seen_at < database_now() - SILENT_AFTER:
        return _part(silent, ok=False)
    return _part(pulse.trouble or fine, ok=not pulse.trouble)


def _part(detail: str, *, ok: bool) -> dict[str, Any]:
    return {"ok": ok, "detail": detail}
