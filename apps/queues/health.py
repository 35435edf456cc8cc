"""Signs of life, as they are noted: of relay and sink, of the broker as the relay sees it, of the canary."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db.models import Q

from apps.queues.models import Pulse
from apps.tasks.clock import database_now

CANARY = "canary"


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
