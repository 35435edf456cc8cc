"""How each part of the system is, and what is wrong with it in one sentence."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection

from apps.queues import names
from apps.queues.models import Pulse, Worker
from apps.tasks import priority
from apps.tasks.clock import now_in_query
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task

# Relay and sink give a sign of life every 5 s at the latest.
SILENT_AFTER = timedelta(seconds=12)
BANNER_SECONDS = 1
OBSTACLES = 3  # of the troubles: those that keep tasks from the workers

DATABASE_AWAY = "The database does not answer."
DISK_FULL = "The disk of the database is full: nothing can be saved until there is room on it."
FULL_BYTES = 1_000_000
RELAY_SILENT = "The relay gives no sign of life: new tasks wait until it is back."
SINK_SILENT = "The sink gives no sign of life: outcomes wait in RabbitMQ until it is back."
NO_WORKER = "No worker is connected: tasks wait until one is."


def banner() -> dict[str, str]:
    """`{"sentence", "tag"}` for the page, at most a second old; without a sentence all is well."""
    sentence = _lately()["sentence"]
    return {"sentence": sentence, "tag": hashlib.blake2b(sentence.encode(), digest_size=6).hexdigest()}


def obstacle() -> str:
    """Why nothing is handed to the workers at present, as a sentence at most a second old; empty when nothing is."""
    return _lately()["obstacle"]


def _lately() -> dict[str, str]:
    told = cache.get_or_set("health", report, BANNER_SECONDS) or {}
    return {"sentence": told["sentence"], "obstacle": told["obstacle"]}


def report() -> dict[str, Any]:
    """`{"ready": bool, "sentence": str, "obstacle": str}`, and of each part `{"ok": bool, "detail": str}`.

    `sentence` is of the worst that is wrong, `obstacle` of what keeps tasks from being handed to the workers. Ready is
    what takes tasks and brings outcomes home, however late.
    """
    try:
        seen = _Seen.now()
    except (DatabaseError, InterfaceError):
        connection.close()
        unknown = _part("Unknown while the database is away.", ok=False)
        parts = dict.fromkeys(("broker", "relay", "sink", "workers", "parked"), unknown)
        said = {"sentence": DATABASE_AWAY, "obstacle": DATABASE_AWAY}
        return {"ready": False, **said, "database": _part(DATABASE_AWAY, ok=False), **parts}
    sentence, obstacle = (next(filter(None, troubles), "") for troubles in (seen.troubles, seen.troubles[:OBSTACLES]))
    return {"ready": seen.is_ready, "sentence": sentence, "obstacle": obstacle, **seen.parts}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the database knows of the others."""

    signs: dict[str, str]  # of those with a fresh sign of life: what troubles them
    workers: int
    disk_is_full: bool
    unserved: list[str]  # queues with waiting tasks that no worker serves

    @classmethod
    def now(cls) -> _Seen:
        signs = dict(Pulse.objects.filter(seen_at__gte=now_in_query() - SILENT_AFTER).values_list("name", "trouble"))
        served = list(Worker.objects.alive().values_list("queues", flat=True))
        return cls(
            signs=signs,
            workers=len(served),
            disk_is_full=_disk_is_full(),
            unserved=_unserved({each for queues in served for each in queues}),
        )

    @property
    def troubles(self) -> list[str]:
        """The worst first: each part's silence before what it says, causes before what follows from them."""
        return [
            DISK_FULL if self.disk_is_full else "",  # nobody can note a sign of life then
            "" if "relay" in self.signs else RELAY_SILENT,
            self.signs.get("broker", ""),
            "" if "sink" in self.signs else SINK_SILENT,
            self.signs.get("relay", ""),
            self.signs.get("outcomes", ""),
            self.without_worker,
            self.signs.get("parked", ""),
        ]

    @property
    def without_worker(self) -> str:
        *others, last = self.unserved or [""]
        if not last or not self.workers:
            return NO_WORKER if last else ""
        if not others:
            return f"No worker serves the queue {last}: its tasks wait until one does."
        return f"No worker serves the queues {', '.join(others)} and {last}: their tasks wait until one does."

    @property
    def is_ready(self) -> bool:
        return all(self.parts[name]["ok"] for name in ("database", "broker", "relay", "sink"))

    @property
    def parts(self) -> dict[str, dict[str, Any]]:
        signs, parked = self.signs, self.signs.get("parked", "")
        broker = signs.get("broker", "The relay, which watches it, is away.")
        late = signs.get("outcomes", "")
        connected = f"{self.workers} connected." if self.workers else NO_WORKER
        return {
            "database": _part(DISK_FULL if self.disk_is_full else "Answers.", ok=not self.disk_is_full),
            "broker": _part(broker or "The relay reaches the broker.", ok=not broker),
            "relay": _part(signs.get("relay", RELAY_SILENT) or "Running.", ok="relay" in signs),
            "sink": _part((late or "Running.") if "sink" in signs else SINK_SILENT, ok="sink" in signs),
            "workers": {
                **_part(self.without_worker or connected, ok=bool(self.workers and not self.unserved)),
                "count": self.workers,
            },
            "parked": _part(parked or "Nothing.", ok=not parked),
        }


def _disk_is_full() -> bool:
    """Only SQLite's is here."""
    if connection.vendor != "sqlite" or not (path := Path(str(connection.settings_dict["NAME"]))).exists():
        return False
    return shutil.disk_usage(path.parent).free < FULL_BYTES


def _unserved(served: set[str]) -> list[str]:
    return [queue for queue in sorted(names.known() - served) if _has_waiting(queue)]


def _has_waiting(queue: str) -> bool:
    """Two questions, for each of which there is an index."""
    in_broker = Task.objects.filter(queue=queue, status=Status.QUEUEING, dispatch_at__isnull=True).order_by()
    return bool(priority.due(queue)) or in_broker.exists()


def _part(detail: str, *, ok: bool) -> dict[str, Any]:
    return {"ok": ok, "detail": detail}
