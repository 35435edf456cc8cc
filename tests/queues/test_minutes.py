"""The memory of minutes: what each counts, once, however long nobody counted; and the spreads it tells times from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from apps.queues import minutes, spreads
from apps.queues.minutes import MINUTE
from apps.queues.models import Minute
from apps.tasks.models import Task
from tests.fixtures.statements import Statements
from tests.tasks.rows import a_task

NOW = datetime(2026, 3, 29, 1, 30, 15, tzinfo=UTC)
LAST = datetime(2026, 3, 29, 1, 29, tzinfo=UTC)  # the last minute that is over


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Its last entry is now."""
    times = [NOW]
    monkeypatch.setattr(minutes, "database_now", lambda: times[-1])
    return times


def count() -> None:
    while minutes.remember():
        pass


def ended(
    owner: User, at: datetime, status: str = "FINISHED", *, waited: float = 2, ran: float = 1, **more: Any
) -> Task:
    begun = at - timedelta(seconds=ran)
    times = {"created_at": begun - timedelta(seconds=waited), "started_at": begun, "finished_at": at}
    return a_task(owner, **{"status": status, "run_seconds": ran, **times, **more})


def row(at: datetime, queue: str = "default") -> tuple[int, int, int, int]:
    return Minute.objects.values_list("created", "finished", "failed", "cancelled").get(at=at, queue=queue)


def test_a_minute_that_is_over_is_counted_by_queue(alice: User) -> None:
    ended(alice, LAST, waited=90)
    ended(alice, LAST + timedelta(seconds=59.999999), "FAILED", waited=0.004, queue="gpu")
    ended(alice, LAST + timedelta(seconds=30), "CANCELLED", run_seconds=None)
    ended(alice, LAST + MINUTE)  # the running one
    count()
    assert row(LAST) == (2, 1, 0, 1)
    assert row(LAST, "gpu") == (1, 0, 1, 0)
    assert row(LAST - MINUTE) == (0, 0, 0, 0)
    assert row(LAST - 2 * MINUTE) == (1, 0, 0, 0)
    assert minutes.counted_until() == LAST + MINUTE
    waits = spreads.unpacked(Minute.objects.get(at=LAST, queue="default").waits)
    assert waits == {spreads.bucket(90): 1}
    assert spreads.unpacked(Minute.objects.get(at=LAST, queue="gpu").waits) == {spreads.bucket(0.004): 1}
    assert spreads.unpacked(Minute.objects.get(at=LAST, queue="default").runs) == {spreads.bucket(1): 1}


def test_what_was_scheduled_waits_from_when_it_could_begin(alice: User) -> None:
    ended(alice, LAST, created_at=LAST - timedelta(hours=5), run_at=LAST - timedelta(seconds=4))
    count()
    assert spreads.unpacked(Minute.objects.get(at=LAST).waits) == {spreads.bucket(3): 1}


def test_no_minute_is_counted_before_its_last_moment_can_be_seen(alice: User, clock: list[datetime]) -> None:
    clock.append(LAST + MINUTE + timedelta(seconds=9))
    count()
    assert minutes.counted_until() == LAST
    ended(alice, LAST + timedelta(seconds=59))
    clock.append(LAST + MINUTE + timedelta(seconds=10))
    count()
    assert row(LAST)[1] == 1


def test_a_minute_is_counted_once_by_whichever_relay(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(alice, LAST)
    count()
    ended(alice, LAST)
    # Another relay has looked before the first one wrote.
    monkeypatch.setattr(minutes, "counted_until", lambda: LAST)
    minutes.remember()
    assert row(LAST)[1] == 1
    assert Minute.objects.filter(at=LAST).count() == 1


def test_a_relay_that_was_away_catches_up_but_not_for_ever(
    alice: User, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = timedelta(hours=1)
    monkeypatch.setattr(minutes, "REACH", 7 * hour)
    monkeypatch.setattr(minutes, "KEPT", 8 * hour)
    for hours in (8, 7, 5):
        ended(alice, NOW - hours * hour - MINUTE)
    count()
    assert Minute.objects.filter(finished=1).count() == 1
    assert Minute.objects.count() == 5 * 60 + 1  # before the first there is nothing to say
    clock.append(NOW + 8 * hour - 2 * MINUTE)
    ended(alice, NOW + MINUTE)
    ended(alice, NOW + hour + MINUTE)
    count()
    assert Minute.objects.filter(finished=1).count() == 1
    assert Minute.objects.filter(at__gt=NOW).count() == 7 * 60
    assert Minute.objects.order_by("at")[0].at == LAST - MINUTE  # after eight hours they are forgotten
    assert not minutes.remember()


def test_much_at_once_is_counted_in_parts(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minutes, "MOST_TASKS", 3)
    for back in range(30):
        for _ in range(2):
            ended(alice, LAST - back * MINUTE, waited=0)
    count()
    found = Minute.objects.filter(at__gt=LAST - 30 * MINUTE, at__lte=LAST, finished=2).count()
    assert (found, Minute.objects.filter(finished__gt=0).count()) == (30, 30)


def test_counting_reads_indexes_and_numbers_alone(alice: User, statements: Statements) -> None:
    """Whatever else is in the table is not looked at."""
    with statements() as queries:
        count()
    read = [each["sql"] for each in queries.captured_queries if "run_seconds" in each["sql"]]
    plans = [plan(statement) for statement in read]
    if connection.vendor == "sqlite":
        assert all("USING INDEX task_finished (finished_at>? AND finished_at<?)" in each for each in plans)
    else:
        assert all("task_finished" in each for each in plans)
    assert plans


def plan(statement: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")  # an empty table is read faster without an index
        cursor.execute(f"{'EXPLAIN QUERY PLAN' if connection.vendor == 'sqlite' else 'EXPLAIN'} {statement}")
        return " ".join(str(line[-1]) for line in cursor.fetchall())


def test_a_median_is_told_to_within_an_eighth() -> None:
    for seconds in (0.0013, 0.5, 7, 3_600, 250_000):
        spread = spreads.Spread({spreads.bucket(seconds): 3})
        told = spreads.seconds_at(spread, 0.5)
        assert told is not None
        assert abs(told - seconds) <= seconds / 8
    many = spreads.Spread({spreads.bucket(1): 95, spreads.bucket(100): 5})
    assert spreads.seconds_at(many, 0.95) == spreads.seconds_at(many, 0.5)
    assert (spreads.seconds_at(many, 0.96) or 0) > 80
    assert spreads.seconds_at(spreads.Spread(), 0.5) is None
    assert spreads.unpacked(spreads.packed(many)) == many


@pytest.mark.parametrize("seconds", [None, -1.0, 0.0, 0.001, 0.0010001, 0.99, 1.0, 10.0, 86_400.0, 1e7])
def test_the_database_puts_a_time_into_the_same_bucket(db: None, seconds: float | None) -> None:
    with connection.cursor() as cursor:
        cast = "double precision" if connection.vendor == "postgresql" else "real"
        cursor.execute(
            f"WITH line AS (SELECT CAST(%s AS {cast}) AS s) SELECT {spreads.bucket_sql('s')} FROM line",  # noqa: S608
            [seconds],
        )
        (found,) = cursor.fetchone()
    assert found == (None if seconds is None else spreads.bucket(seconds))
