"""Whose turn it is: a waiting task has the place in which the relay takes it, and its page says when it starts."""

import itertools
import random
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.queues import health
from apps.queues.models import Queue, Worker
from apps.relay import schedule
from apps.tasks import turns
from apps.tasks.clock import tick
from apps.tasks.models import Task
from apps.tasks.turns import Turn
from tests.fixtures.asking import Asker
from tests.fixtures.statements import Statements
from tests.queues.rows import a_worker
from tests.queues.test_workers import words
from tests.tasks.rows import a_task, text_of


@pytest.fixture
def all_well(db: None) -> None:
    for name in ("relay", "broker", "sink"):
        health.beat(name)


def turn_of(task: Task, *serving: Worker) -> Turn | None:
    cache.clear()
    task.refresh_from_db()
    return turns.of(task, serving or [Worker(name="w1", concurrency=1)], timezone.now())


def place(task: Task) -> int | None:
    turn = turn_of(task)
    return turn.place if turn else None


def seconds_until_start(task: Task, *serving: Worker) -> float:
    turn = turn_of(task, *serving)
    assert turn
    assert turn.starts_at
    return (turn.starts_at - timezone.now()).total_seconds()


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def test_the_place_is_that_in_which_the_relay_takes_it(alice: User) -> None:
    times = [ago(9), ago(7), ago(7), ago(7), ago(5), ago(3)]
    for at, priority in random.Random(7).sample(list(itertools.product(times, (-5, 0, 7))), 18):
        a_task(alice, dispatch_at=at, priority=priority)
    a_task(alice, dispatch_at=ago(99), queue="gpu")
    a_task(alice, dispatch_at=ago(-60), priority=100)
    taken = [each.task for each in schedule.due("default", 100)]
    assert [place(Task.objects.get(pk=number)) for number in taken] == list(range(1, 19))


def test_what_the_broker_has_comes_first_in_the_order_it_was_handed_over(alice: User) -> None:
    at = ago(2)
    handed = [a_task(alice, handed_at=each) for each in (at, at, ago(9))]
    due = a_task(alice, dispatch_at=ago(30))
    a_task(alice, handed_at=ago(60), status="RUNNING")
    assert [place(task) for task in (*handed, due)] == [2, 3, 1, 4]
    assert place(a_task(alice)) is None


def test_a_place_is_counted_up_to_a_cap(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PLACE_CAP", 3)
    tasks = [a_task(alice, dispatch_at=ago(9 - n)) for n in range(6)]
    assert [place(task) for task in tasks] == [1, 2, 3, 4, 5, 5]


def test_when_it_starts_is_told_by_how_long_tasks_of_the_queue_take(alice: User) -> None:
    """Of two slots one has 30 of its 40 seconds to go, the other 10; three tasks stand before this one."""
    waiting = [a_task(alice, dispatch_at=ago(9 - n)) for n in range(4)]
    serving = [Worker(name="w1", concurrency=2)]
    ended = {"status": "FINISHED", "finished_at": timezone.now()}
    for seconds in (40, 1_000):
        a_task(alice, run_seconds=seconds, **ended)
    a_task(alice, run_seconds=3_000, queue="gpu", **ended)
    running = [a_task(alice, status="RUNNING", worker="w1", started_at=ago(seconds)) for seconds in (10, 30)]
    a_task(alice, status="RUNNING", worker="another", started_at=ago(999))
    assert (turn := turn_of(waiting[3], *serving))
    assert (turn.used, turn.since, turn.starts_at) == (2, running[1].started_at, None)  # of two nothing can be told
    for _ in range(2):
        a_task(alice, run_seconds=40, **ended)
    assert seconds_until_start(waiting[3], *serving) == pytest.approx((30 + 10 + 3 * 40) / 2, abs=5)


def test_one_that_runs_longer_than_most_takes_as_long_as_those_that_did(alice: User) -> None:
    waiting, ended = a_task(alice, dispatch_at=ago(9)), {"status": "FINISHED", "finished_at": timezone.now()}
    for seconds in (1, 1, 1, 1, 90, 100, 300):
        a_task(alice, run_seconds=seconds, **ended)
    for so_far in (50, 40):
        a_task(alice, status="RUNNING", worker="w1", started_at=ago(so_far))
    serving = Worker(name="w1", concurrency=2)
    assert seconds_until_start(waiting, serving) == pytest.approx((50 + 60) / 2, abs=5)
    Task.objects.filter(started_at__gt=ago(45)).update(started_at=ago(400))  # nobody knows when: the other comes first
    assert seconds_until_start(waiting, serving) == pytest.approx(50, abs=5)


def test_behind_tasks_that_run_longer_than_any_before_nothing_is_told(alice: User) -> None:
    """Not "within seconds" for as long as they run."""
    waiting, ended = a_task(alice, dispatch_at=ago(9)), {"status": "FINISHED", "finished_at": timezone.now()}
    for _ in range(9):
        a_task(alice, run_seconds=0.01, **ended)
    for so_far in (100, 103):
        a_task(alice, status="RUNNING", worker="w1", started_at=ago(so_far))
    assert (turn := turn_of(waiting, Worker(name="w1", concurrency=2)))
    assert (turn.place, turn.used, turn.starts_at) == (1, 2, None)


@pytest.mark.usefixtures("all_well")
def test_the_page_says_where_it_stands_and_names_nobody_elses_task(web: Client, alice: User, bob: User) -> None:
    a_worker(concurrency=1)
    a_task(bob, name="secret", status="RUNNING", worker="w1", started_at=ago(182))
    secret = a_task(bob, name="secret", dispatch_at=ago(60))
    mine = a_task(alice, dispatch_at=ago(30))
    page = web.get(f"/tasks/{mine.pk}/")
    assert re.search(r"2nd in the queue default; the only worker is busy \(for 3 min [2-9] s \)\.", words(page))
    assert "secret" not in text_of(page)
    assert f"/tasks/{secret.pk}/" not in text_of(page)


@pytest.mark.usefixtures("all_well")
def test_a_place_that_moves_changes_the_sentence_alone(web: Client, alice: User, bob: User) -> None:
    a_worker(concurrency=1)
    a_task(bob, status="RUNNING", worker="w1", started_at=ago(60))
    ahead, mine = a_task(bob, dispatch_at=ago(60)), a_task(alice, dispatch_at=ago(30))
    tag = text_of(web.get(f"/tasks/{mine.pk}/")).split('id="live"')[1].split('hx-ptag="')[1].split('"')[0]

    def poll() -> Any:
        cache.clear()
        tick()
        return web.get(f"/tasks/{mine.pk}/changes/", headers={"HX-Request": "true", "HX-PTag": tag})

    assert (poll().status_code, poll().content) == (304, b"")
    Task.objects.filter(pk=ahead.pk).update(status="CANCELLED", dispatch_at=None)
    html = text_of(poll())
    assert re.findall(r'hx-target="([^"]+)"', html) == ["#sentence"]
    assert "1st in the queue default" in html


def test_it_is_read_from_indexes(alice: User, statements: Statements) -> None:
    """And not from a table of a million rows: each statement names one, and none scans or sorts."""
    task = a_task(alice, dispatch_at=ago(9))
    with statements() as asked:
        turn_of(task)
        turn_of(a_task(alice, handed_at=ago(9)))
    reads = [query["sql"] for query in asked if 'FROM "tasks_task"' in query["sql"] and '"id" = ' not in query["sql"]]
    assert len(reads) == 9
    if connection.vendor == "sqlite":
        for sql in reads:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                plan = " ".join(row[3] for row in cursor.fetchall())
            assert re.search(r"USING (COVERING )?INDEX task_", plan), (sql, plan)
            assert "TEMP B-TREE" not in plan, (sql, plan)


WAITING = """{ task(number: %d) { waiting { position queuePaused workersServing estimatedStart } } }"""


def test_a_program_is_told_where_a_task_waits(alice: User, sam: User) -> None:
    asker = Asker.of(alice)

    def waiting(task: Task) -> Any:
        cache.clear()
        return asker.data(WAITING % task.pk)["task"]["waiting"]

    first, second = a_task(alice, dispatch_at=ago(9)), a_task(alice, dispatch_at=ago(7))
    nobody = {"position": None, "queuePaused": False, "workersServing": 0, "estimatedStart": None}
    assert waiting(second) == nobody
    a_worker("w1")
    assert waiting(second) == {**nobody, "position": 2, "workersServing": 1}
    assert waiting(a_task(alice, dispatch_at=ago(-60), run_at=ago(-60)))["position"] is None
    Queue.objects.update_or_create(name="default", defaults={"paused_at": timezone.now(), "paused_by": sam})
    assert waiting(first) == {**nobody, "queuePaused": True, "workersServing": 1}
    assert waiting(a_task(alice, status="RUNNING")) is None
    for _ in range(20):
        a_task(alice, dispatch_at=ago(5))
    answer = asker.ask("{ tasks { nodes { waiting { position } } } }")
    assert "At most 20 waiting tasks in one query" in answer["errors"][0]["message"]
