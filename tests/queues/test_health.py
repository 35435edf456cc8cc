"""What /readyz says, and to whom."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.queues import health
from apps.queues.models import Pulse, Worker
from apps.tasks import recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def all_well() -> None:
    for name in ("relay", "broker", "sink"):
        health.beat(name)


def worker(name: str, seconds_ago: float, **fields: object) -> None:
    now = timezone.now()
    Worker.objects.create(
        name=name,
        host="h",
        pid=1,
        concurrency=1,
        started_at=now,
        last_seen_at=now - timedelta(seconds=seconds_ago),
        **fields,
    )


def test_a_fresh_database_says_what_is_missing(client: Client) -> None:
    answer = client.get("/readyz")
    report = answer.json()
    assert answer.status_code == 503
    assert report["ready"] is False
    assert report["database"]["ok"] is True
    assert [report[part]["ok"] for part in ("broker", "relay", "sink", "workers")] == [False] * 4


@pytest.mark.usefixtures("all_well")
def test_it_is_ready_without_a_worker_and_says_that_there_is_none(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["workers"] == {
        "ok": False,
        "detail": "No worker is connected: tasks wait until one is.",
        "count": 0,
    }


@pytest.mark.usefixtures("all_well")
def test_workers_that_left_or_fell_silent_do_not_count(client: Client) -> None:
    worker("here", 1)
    worker("silent", 60)
    worker("left", 1, left_at=timezone.now())
    assert client.get("/readyz").json()["workers"] == {"ok": True, "detail": "1 connected.", "count": 1}


@pytest.mark.usefixtures("all_well")
def test_a_silent_sink_is_named(client: Client) -> None:
    Pulse.objects.filter(name="sink").update(seen_at=timezone.now() - timedelta(seconds=30))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["sink"]["detail"].startswith("No sign of life")


@pytest.mark.usefixtures("all_well")
def test_the_brokers_trouble_is_told_in_the_relays_words(client: Client) -> None:
    health.beat("broker", "The relay cannot reach RabbitMQ.")
    assert client.get("/readyz").json()["broker"] == {"ok": False, "detail": "The relay cannot reach RabbitMQ."}


def test_a_canary_that_comes_home_late_or_twice_changes_nothing() -> None:
    now = timezone.now()
    for seconds_ago in (20, 10, 15, 10):
        health.record_canary((now - timedelta(seconds=seconds_ago)).timestamp(), now - timedelta(seconds=5))
    assert health.canary_home() == now - timedelta(seconds=10)


def test_a_canary_from_the_future_is_none_unless_the_clock_was_put_back() -> None:
    now = timezone.now()
    health.record_canary(now.timestamp() + 60, now)
    assert health.canary_home() is None
    health.record_canary(now.timestamp(), now)
    health.record_canary(now.timestamp() - 3600, now - timedelta(seconds=3599))
    assert health.canary_home() == now - timedelta(seconds=3600)


def test_canaries_are_recorded_with_the_events_they_come_with() -> None:
    sent = timezone.now().timestamp()
    recording.record([{"v": 1, "worker": "millrace.relay", "events": [], "canary": each} for each in (sent, sent - 5)])
    home = health.canary_home()
    assert home
    assert home.timestamp() == sent


def test_healthz_asks_nobody_and_tells_nothing(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert client.post("/healthz").status_code == 405
