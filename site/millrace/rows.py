"""Queues, workers, kinds and counts as the server tells them at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Tasks per status, each counted up to 10,000: `exact` is False when one of them has stopped there."""

    queueing: int
    running: int
    finished: int
    failed: int
    cancelled: int
    exact: bool


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A line of waiting tasks; its counts are of everybody's tasks, up to 10,000 unless `exact`.

    `ready` could begin at once, `scheduled` are for later; the oldest of those ready has waited `oldest_seconds`.
    `workers` serve it and take tasks now.
    """

    name: str
    paused: bool
    ready: int
    scheduled: int
    running: int
    oldest_seconds: float | None
    created_last_minute: int
    ended_last_minute: int
    exact: bool
    workers: int

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        return cls(
            name=data["name"],
            paused=data["paused"],
            ready=data["ready"],
            scheduled=data["scheduled"],
            running=data["running"],
            oldest_seconds=data["oldestSeconds"],
            created_last_minute=data["createdLastMinute"],
            ended_last_minute=data["endedLastMinute"],
            exact=data["exact"],
            workers=data["workers"],
        )


@dataclass(frozen=True, kw_only=True)
class Running:
    """A task that a worker runs."""

    number: int
    name: str
    started_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker as it was heard of last. `concurrency`: how many tasks it runs at once; `alive`: it is connected.

    `order`: what it is told, DRAIN, STOP or None. `running`: of its tasks those that you may see.
    """

    name: str
    host: str
    alive: bool
    draining: bool
    order: str | None
    queues: tuple[str, ...]
    concurrency: int
    rss_bytes: float | None
    python: str | None
    sandbox: str | None
    started_at: datetime
    last_seen_at: datetime
    running: tuple[Running, ...]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        installed = data["environment"] or {}
        return cls(
            name=data["name"],
            host=data["host"],
            alive=data["alive"],
            draining=data["draining"],
            order=data["order"],
            queues=tuple(data["queues"]),
            concurrency=data["concurrency"],
            rss_bytes=data["rssBytes"],
            python=installed.get("python"),
            sandbox=installed.get("sandbox"),
            started_at=datetime.fromisoformat(data["startedAt"]),
            last_seen_at=datetime.fromisoformat(data["lastSeenAt"]),
            running=tuple(
                Running(number=each["number"], name=each["name"], started_at=moment(each["startedAt"]))
                for each in data["running"]
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A sort of work that a worker has announced. `schema`: JSON Schema of its parameters."""

    name: str
    doc: str
    schema: dict[str, Any]
    queue: str
    timeout_seconds: float | None
    max_attempts: int
    served: bool
    may_create: bool

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        return cls(
            name=data["name"],
            doc=data["doc"] or "",
            schema=data["schema"],
            queue=data["queue"]["name"],
            timeout_seconds=data["timeoutSeconds"],
            max_attempts=data["maxAttempts"],
            served=data["served"],
            may_create=data["viewerCanCreate"],
        )


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
