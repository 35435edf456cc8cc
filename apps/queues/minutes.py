"""The memory of minutes: what was created and what ended in each of a queue, counted once, when the minute is over.

Nothing is counted while tasks are created or recorded. A minute is read from what is there already, ten seconds after
its end: the newest numbers, and `task_finished`. What has been retried or deleted by then is not in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.queues.models import Minute
from apps.queues.spreads import Spread, bucket_sql, packed
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task
from workers.broker import DEFAULT_QUEUE

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE = timedelta(minutes=1)
SETTLE = timedelta(seconds=10)  # what is being committed in the minute's last moment
APART = timedelta(seconds=30)  # so far the order of numbers may differ from that of time: others wait 20 s for a lock
REACH = timedelta(days=7)
KEPT = timedelta(days=8)
AT_ONCE = timedelta(hours=1)
MOST_TASKS = 100_000  # at once, unless one minute has more


def remember() -> bool:
    """Count the oldest minutes that are over and not counted yet; whether there are more of them."""
    now = database_now()
    over = minute_of(now - SETTLE)
    start = max(counted_until() or _oldest(over), over - REACH)
    if start >= over:
        return False
    first = _first_since(start - APART)
    end = _end(start, over, first)
    # Two relays may both be here: whoever comes second finds the keys taken. In one statement, or not at all.
    Minute.objects.bulk_create(_count(start, end, first), ignore_conflicts=True)
    Minute.objects.filter(at__lt=over - KEPT).delete()
    return end < over


def counted_until() -> datetime | None:
    """The end of the last minute that was counted: each has a row, at least that of the default queue."""
    last = Minute.objects.order_by("-at").values_list("at", flat=True).first()
    return last + MINUTE if last else None


def minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _oldest(over: datetime) -> datetime:
    """Where to begin when nothing was ever counted: there may be nothing to count."""
    reach = over - REACH
    ended = Task.objects.filter(finished_at__gte=reach).order_by("finished_at").values_list("finished_at", flat=True)
    created = Task.objects.filter(id__gte=_first_since(reach)).order_by("id").values_list("created_at", flat=True)
    found = [minute_of(moment) for moment in (*ended[:1], *created[:1]) if moment]
    return min([over - MINUTE, *found])


@dataclass(slots=True)
class _Tally:
    created: int = 0
    ended: Counter[str] = field(default_factory=Counter)  # by status
    waits: Spread = field(default_factory=Counter)
    runs: Spread = field(default_factory=Counter)


def _end(start: datetime, over: datetime, first: int) -> datetime:
    """So that what is read at once is bounded, however long nobody has counted."""
    end = min(start + AT_ONCE, over)
    ended = Task.objects.filter(finished_at__gte=start, finished_at__lt=end).order_by("finished_at")
    created = Task.objects.filter(id__gte=first + MOST_TASKS).order_by("id")
    many = [
        *ended.values_list("finished_at", flat=True)[MOST_TASKS : MOST_TASKS + 1],
        *created.values_list("created_at", flat=True)[:1],
    ]
    return max(min([end, *(minute_of(moment) for moment in many if moment)]), start + MINUTE)


def _count(start: datetime, end: datetime, first: int) -> list[Minute]:
    minutes = [start + MINUTE * n for n in range((end - start) // MINUTE)]
    tallies = {(at, DEFAULT_QUEUE): _Tally() for at in minutes}
    for minute, queue, count in _created(start, end, first):
        tallies.setdefault((_moment(minute), queue), _Tally()).created += count
    for minute, queue, status, waited, ran, count in _ended(start, end):
        tally = tallies.setdefault((_moment(minute), queue), _Tally())
        tally.ended[status] += count
        if status != Status.CANCELLED:
            tally.waits.update({} if waited is None else {waited: count})
            tally.runs.update({} if ran is None else {ran: count})
    return [
        Minute(
            at=at,
            queue=queue,
            created=tally.created,
            finished=tally.ended[Status.FINISHED],
            failed=tally.ended[Status.FAILED],
            cancelled=tally.ended[Status.CANCELLED],
            waits=packed(tally.waits),
            runs=packed(tally.runs),
        )
        for (at, queue), tally in sorted(tallies.items())
    ]


def _first_since(moment: datetime) -> int:
    """The number from which on tasks are as young as that: numbers grow with time."""
    # One by one: SQLite reads the whole table for both at once.
    low, high = (Task.objects.order_by(order).values_list("id", flat=True).first() or 0 for order in ("id", "-id"))
    numbers = range(low, high + 1)

    def created_at(number: int) -> datetime:
        at = Task.objects.filter(id__gte=number).order_by("id").values_list("created_at", flat=True).first()
        return at or datetime.max.replace(tzinfo=UTC)

    at = bisect_left(numbers, moment, key=created_at)
    return numbers[at] if at < len(numbers) else numbers.stop


def _created(start: datetime, end: datetime, first: int) -> list[tuple[Any, ...]]:
    """(minute, queue, count)."""
    return _select(
        f"SELECT {_minute('created_at')}, queue, count(*) FROM tasks_task"
        " WHERE id >= %s AND id < %s AND created_at >= %s AND created_at < %s GROUP BY 1, 2",
        [first, _first_since(end + APART), _bound(start), _bound(end)],
    )


def _ended(start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    """(minute, queue, status, bucket of the wait, bucket of the run time, count).

    Waited is from when it could have begun until the beginning of the run that ended it.
    """
    # The limit keeps SQLite from working out the wait anew for each comparison.
    lines = (
        f"SELECT {_minute('finished_at')} AS minute, queue, status, {_WAITED[connection.vendor]} AS waited,"
        " run_seconds AS ran FROM tasks_task WHERE finished_at >= %s AND finished_at < %s LIMIT 9223372036854775807"
    )
    return _select(
        f"SELECT minute, queue, status, {bucket_sql('waited')}, {bucket_sql('ran')}, count(*) FROM ({lines}) line"
        " GROUP BY 1, 2, 3, 4, 5",
        [_bound(start), _bound(end)],
    )


_WAITED = {
    "sqlite": "(julianday(started_at) - julianday(max(created_at, coalesce(run_at, created_at)))) * 86400",
    "postgresql": "EXTRACT(EPOCH FROM started_at - GREATEST(created_at, run_at))::float8",
}


def _minute(column: str) -> str:
    return f"substr({column}, 1, 16)" if connection.vendor == "sqlite" else f"date_trunc('minute', {column})"


def _bound(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _moment(value: Any) -> datetime:
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _select(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
