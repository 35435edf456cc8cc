"""How each part of the system is, and what is wrong with it in one sentence."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.urls import reverse

from apps.accounts.permissions import may_operate
from apps.queues import holds, names, pauses
from apps.queues.holds import Hold
from apps.queues.models import Pulse, Worker
from apps.tasks import priority
from apps.tasks.clock import now_in_query
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task

if TYPE_CHECKING:
    from apps.accounts.permissions import Person
    from apps.tasks.sentences import Parts

# Relay and sink give a sign of life every 5 s at the latest.
SILENT_AFTER = timedelta(seconds=12)
BANNER_SECONDS = 1

DATABASE_AWAY = "The database does not answer."
DISK_FULL = "The disk of the database is full: nothing can be saved until there is room on it."
FULL_BYTES = 1_000_000
RELAY_SILENT = "The relay gives no sign of life: new tasks wait until it is back."
SINK_SILENT = "The sink gives no sign of life: outcomes wait in RabbitMQ until it is back."
NO_WORKER = "No worker is connected: tasks wait until one is."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What pages say. `parts`: the sentence of the worst that is wrong; none: all is well.

    `page`: the name of the address where whoever may operate can end it. `obstacle`: what keeps tasks from being handed
    to the workers, as a sentence; empty when nothing does.
    """

    parts: Parts
    page: str = ""
    obstacle: str


def banner(user: Person) -> dict[str, Any]:
    """`{"parts", "page", "tag"}` for a page, at most a second old. `page`: where this person can end it, an address."""
    told, _ = _lately()
    page = reverse(told.page) if told.page and may_operate(user) else ""
    tag = hashlib.blake2b(repr((told.parts, page)).encode(), digest_size=6).hexdigest()
    return {"parts": told.parts, "page": page, "tag": tag}


def obstacle() -> str:
    """Why nothing is handed to the workers at present, as a sentence at most a second old; empty when nothing is."""
    return _lately()[0].obstacle


def parts() -> dict[str, dict[str, Any]]:
    """Of `report`, at most a second old."""
    return _lately()[1]


def _lately() -> tuple[Told, dict[str, dict[str, Any]]]:
    return cache.get_or_set("health", _look, BANNER_SECONDS) or _look()


def report() -> dict[str, Any]:
    """`{"ready": bool, "sentence": str, "obstacle": str}`, and of each part `{"ok": bool, "detail": str}`.

    `sentence` is of the worst that is wrong, `obstacle` of what keeps tasks from being handed to the workers. Ready is
    what takes tasks and brings outcomes home, however late.
    """
    told, parts = _look()
    return {"ready": _is_ready(parts), "sentence": "".join(map(str, told.parts)), "obstacle": told.obstacle, **parts}


def _look() -> tuple[Told, dict[str, dict[str, Any]]]:
    try:
        seen = _Seen.now()
    except (DatabaseError, InterfaceError):
        connection.close()
        unknown = _part("Unknown while the database is away.", ok=False)
        parts = dict.fromkeys(("broker", "relay", "sink", "workers", "parked"), unknown)
        told = Told(parts=[DATABASE_AWAY], obstacle=DATABASE_AWAY)
        return told, {"database": _part(DATABASE_AWAY, ok=False), **parts}
    obstacle = next(filter(None, seen.obstacles), "")
    worst = next((each for each in seen.troubles if each), None)
    if isinstance(worst, Hold):
        return Told(parts=worst.parts, page=worst.page, obstacle=obstacle), seen.parts
    return Told(parts=[worst] if worst else [], obstacle=obstacle), seen.parts


def _is_ready(parts: dict[str, dict[str, Any]]) -> bool:
    return all(parts[name]["ok"] for name in ("database", "broker", "relay", "sink"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the database knows of the others."""

    signs: dict[str, str]  # of those with a fresh sign of life: what troubles them
    workers: int
    disk_is_full: bool
    unserved: list[str]  # queues with waiting tasks that no worker serves, and that nobody has paused
    hold: Hold | None

    @classmethod
    def now(cls) -> _Seen:
        now = now_in_query()
        signs = dict(Pulse.objects.filter(seen_at__gte=now - SILENT_AFTER).values_list("name", "trouble"))
        workers = list(Worker.objects.alive().select_related("ordered_by").defer("kinds"))
        served, paused = {queue for worker in workers for queue in worker.queues}, pauses.current()
        return cls(
            signs=signs,
            workers=len(workers),
            disk_is_full=_disk_is_full(),
            unserved=_unserved(served | paused.keys()),
            hold=holds.worst(workers, paused),
        )

    @property
    def troubles(self) -> list[str | Hold | None]:
        """The worst first: each part's silence before what it says, causes before what follows from them."""
        return [
            *self.obstacles,
            "" if "sink" in self.signs else SINK_SILENT,
            self.signs.get("relay", ""),
            self.signs.get("outcomes", ""),
            self.without_worker,
            self.hold,
            self.signs.get("parked", ""),
        ]

    @property
    def obstacles(self) -> list[str]:
        """Those of the troubles that keep tasks from the workers."""
        return [
            DISK_FULL if self.disk_is_full else "",  # nobody can note a sign of life then
            "" if "relay" in self.signs else RELAY_SILENT,
            self.signs.get("broker", ""),
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
