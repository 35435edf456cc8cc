"""How the tasks of a kind went lately: how long they ran, and how many of them failed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Final

from django.db import connection

from apps.tasks.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

NEWEST: Final = 1_000
AT_ONCE: Final = 100  # kinds in one statement; SQLite takes at most 500 parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of those that finished or failed among the NEWEST of a kind; None when there are none."""

    p50_seconds: float | None = None
    p95_seconds: float | None = None
    failure_rate: float | None = None


def of(kinds: Collection[str]) -> dict[str, Figures]:
    """By kind, of everybody's tasks."""
    ended: defaultdict[str, list[tuple[str, float | None]]] = defaultdict(list)
    for kind, status, seconds in _newest(sorted(kinds)):
        if status in (Status.FINISHED, Status.FAILED):
            ended[kind].append((status, seconds))
    return {kind: _figures(rows) for kind, rows in ended.items()}


def _figures(rows: list[tuple[str, float | None]]) -> Figures:
    ran = [seconds for _, seconds in rows if seconds is not None]
    cuts = quantiles(ran, n=20, method="inclusive") if len(ran) > 1 else ran * 19
    return Figures(
        p50_seconds=cuts[9] if cuts else None,
        p95_seconds=cuts[18] if cuts else None,
        failure_rate=sum(status == Status.FAILED for status, _ in rows) / len(rows),
    )


def _newest(kinds: list[str]) -> Iterator[tuple[str, str, float | None]]:
    """One walk of the index `task_kind` for each, all in one statement."""
    for begin in range(0, len(kinds), AT_ONCE):
        some = kinds[begin : begin + AT_ONCE]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join([_OF_ONE] * len(some)), some)
            yield from cursor.fetchall()


_OF_ONE = (
    "SELECT * FROM (SELECT kind, status, run_seconds FROM tasks_task"  # noqa: S608 a number of ours
    f" WHERE kind = %s ORDER BY id DESC LIMIT {NEWEST}) newest"
)
