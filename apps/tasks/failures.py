"""Failed tasks by cause: how many, since when, in which hours, of which kinds; read from indexes of failed tasks alone.

However many tasks there are: the causes by leaps from one to the next, each count up to a cap.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db import connection
from django.db.models import F, TextField
from django.db.models.functions import Left

from apps.accounts.permissions import may_see_all
from apps.tasks import causes
from apps.tasks.clock import database_now
from apps.tasks.models import Attempt, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.contrib.auth.models import User

    from apps.accounts.permissions import Person
    from apps.tasks.causes import Cause
    from apps.tasks.querysets import TaskQuerySet

COUNT_CAP = 10_000
HOURS = 24
HOUR_CAP = 1_000
MOST_CAUSES = 1_000  # are looked at
MOST_SHOWN = 50
KINDS_OF = 50  # the newest tasks of a group tell its kinds and queues
MESSAGE_LENGTH = 300
CAUSES_KEPT_SECONDS = 3_600
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The failed tasks of one cause. A count above its cap means "more"; `hours`: per clock hour, the running one last.

    `sample` is the task that failed last, `message` the beginning of its error's.
    """

    key: str
    cause: Cause
    count: int
    first_at: datetime
    last_at: datetime
    sample: int
    name: str
    message: str
    kinds: tuple[str, ...]
    queues: tuple[str, ...]
    hours: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The groups, those that failed last first. `causes`: how many there are, up to MOST_CAUSES + 1."""

    groups: list[Group]
    causes: int


def of_cause(user: Person, key: str) -> TaskQuerySet:
    """Those of this cause that the person may see."""
    return Task.objects.visible_to(user).filter(cause=key)


def find(user: User, now: datetime | None = None, *, most: int = MOST_SHOWN, since: datetime | None = None) -> Found:
    """Of the tasks that this person may see. `since`: only causes that have occurred from then on."""
    scope, now = _Scope.of(user), now or database_now()
    last = scope.last_seen()
    recent = sorted((pair for pair in last[:MOST_CAUSES] if since is None or pair[1] >= since), key=_by_time)
    return Found(groups=_groups(scope, [key for key, _ in recent[:most]], now), causes=len(last))


def one(user: User, key: str) -> Group | None:
    """The group of this cause; None: no task of it is left."""
    return next(iter(_groups(_Scope.of(user), [key], database_now())), None)


def hour_of(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _by_time(pair: tuple[str, datetime]) -> tuple[float, str]:
    return -pair[1].timestamp(), pair[0]


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose tasks: SQL that goes before every other condition, so that an index serves, and its values."""

    condition: str
    values: tuple[int, ...]

    @classmethod
    def of(cls, user: User) -> _Scope:
        if may_see_all(user):
            return cls("", ())
        return cls("t.created_by_id = %s AND ", (user.pk,))

    def last_seen(self) -> list[tuple[str, datetime]]:
        """Each cause and when it occurred last, up to one more than MOST_CAUSES of them."""
        rows = _select(
            f"WITH RECURSIVE found (cause) AS (SELECT ({self.next('t.cause IS NOT NULL')})"
            f" UNION ALL SELECT ({self.next('t.cause > found.cause')}) FROM found WHERE found.cause IS NOT NULL)"
            f" SELECT found.cause, {self.end('found', 'finished_at', 'DESC')} FROM found"
            f" WHERE found.cause IS NOT NULL LIMIT {MOST_CAUSES + 1}",
            [*self.values * 3],
        )
        return [(cause, _moment(at)) for cause, at in rows]

    def next(self, condition: str) -> str:
        return f"SELECT t.cause FROM tasks_task t WHERE {self.condition}{condition} ORDER BY t.cause LIMIT 1"

    def end(self, line: str, column: str, direction: str) -> str:
        return (
            f"(SELECT t.{column} FROM tasks_task t WHERE {self.condition}t.cause = {line}.cause"
            f" ORDER BY t.finished_at {direction} LIMIT 1)"
        )

    def count(self, condition: str, cap: int) -> str:
        rows = f"SELECT 1 FROM tasks_task t WHERE {self.condition}{condition} LIMIT {cap + 1}"
        return f"(SELECT count(*) FROM ({rows}) counted)"


def _groups(scope: _Scope, keys: Sequence[str], now: datetime) -> list[Group]:
    if not keys:
        return []
    figures = {key: rest for key, *rest in _figures(scope, keys) if rest[0]}
    samples = [sample for *_, sample in figures.values()]
    messages, known = _messages(samples), _causes({key: sample for key, (*_, sample) in figures.items()})
    kinds, hours = _kinds(scope, keys), _hours(scope, keys, now)
    return [
        Group(
            key=key,
            cause=known[key],
            count=count,
            first_at=_moment(first_at),
            last_at=_moment(last_at),
            sample=sample,
            name=messages[sample][0],
            message=messages[sample][1],
            kinds=tuple(sorted({kind for kind, _ in kinds[key]})),
            queues=tuple(sorted({queue for _, queue in kinds[key]})),
            hours=tuple(hours[key]),
        )
        for key, (count, first_at, last_at, sample) in figures.items()
        if key in known and sample in messages
    ]


def _figures(scope: _Scope, keys: Sequence[str]) -> list[tuple[Any, ...]]:
    """(cause, count, first, last, newest task), in the order of the keys."""
    columns = (
        scope.count("t.cause = line.cause", COUNT_CAP),
        scope.end("line", "finished_at", "ASC"),
        scope.end("line", "finished_at", "DESC"),
        scope.end("line", "id", "DESC"),
    )
    rows = _select(
        f"WITH line (cause) AS (VALUES {_places(keys)}) SELECT line.cause, {', '.join(columns)} FROM line",
        [*keys, *scope.values * len(columns)],
    )
    found = {row[0]: row for row in rows}
    return [found[key] for key in keys]


def _hours(scope: _Scope, keys: Sequence[str], now: datetime) -> dict[str, list[int]]:
    this_hour = hour_of(now)
    starts = [this_hour - HOUR * back for back in range(HOURS - 1, -1, -1)]
    convert = connection.ops.adapt_datetimefield_value
    spans = [value for at, start in enumerate(starts) for value in (at, convert(start), convert(start + HOUR))]
    counted = scope.count(
        "t.cause = line.cause AND t.finished_at >= hour.start_at AND t.finished_at < hour.end_at", HOUR_CAP
    )
    rows = _select(
        f"WITH line (cause) AS (VALUES {_places(keys)}), hour (at, start_at, end_at) AS"
        f" (VALUES {', '.join(['(%s, %s, %s)'] * HOURS)}) SELECT line.cause, hour.at, {counted} FROM line, hour",
        [*keys, *spans, *scope.values],
    )
    found: dict[str, list[int]] = {key: [0] * HOURS for key in keys}
    for key, at, count in rows:
        found[key][at] = count
    return found


def _kinds(scope: _Scope, keys: Sequence[str]) -> Mapping[str, set[tuple[str, str]]]:
    """(kind, queue) of the newest of each."""
    newest = (
        f"SELECT * FROM (SELECT t.cause, t.kind, t.queue FROM tasks_task t WHERE {scope.condition}t.cause = %s"
        f" ORDER BY t.finished_at DESC LIMIT {KINDS_OF}) newest"
    )
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    values = [value for key in keys for value in (*scope.values, key)]
    for cause, kind, queue in _select(" UNION ".join([newest] * len(keys)), values):
        found[cause].add((kind, queue))
    return found


def _messages(numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
    """A task's name and the beginning of what its last attempt's error says."""
    start = Left("error_message", MESSAGE_LENGTH, output_field=TextField())
    last = Attempt.objects.filter(task__in=numbers, number=F("task__attempt")).order_by()
    rows = last.values_list("task_id", "task__name", start)
    return {number: (name, message) for number, name, message in rows}


def _causes(samples: Mapping[str, int]) -> dict[str, Cause]:
    """What each key stands for, read from a task of it: the same for ever, so tracebacks are read once."""
    known: dict[str, Cause] = cache.get_many([f"cause-{key}" for key in samples])
    missing = {sample: key for key, sample in samples.items() if f"cause-{key}" not in known}
    last = Attempt.objects.filter(task__in=missing, number=F("task__attempt")).order_by()
    columns = ("task_id", "reason", "error_type", "error_message", "traceback")
    fresh = {f"cause-{missing[number]}": causes.of(*rest) for number, *rest in last.values_list(*columns)}
    cache.set_many(fresh, CAUSES_KEPT_SECONDS)
    return {name.removeprefix("cause-"): cause for name, cause in (known | fresh).items()}


def _places(keys: Sequence[str]) -> str:
    return ", ".join(["(%s)"] * len(keys))


def _select(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _moment(value: Any) -> datetime:
    """SQLite has no type for it, nor zones."""
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
