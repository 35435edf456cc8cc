"""What /readyz and the banner on the pages say is wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from apps.queues import health, report
from apps.queues.models import Pulse, Queue, Worker
from apps.tasks import recording
from apps.tasks.models import Kind, Task

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
def test_all_is_well_when_nothing_is_wrong(client: Client) -> None:
    assert client.get("/readyz").json()["sentence"] == ""


@pytest.mark.usefixtures("all_well")
def test_the_worst_of_what_is_wrong_is_said(client: Client) -> None:
    def sentence() -> str:
        return str(client.get("/readyz").json()["sentence"])

    worker("here", 1, queues=["gpu"])
    health.beat("parked", "3 are parked.")
    assert sentence() == "3 are parked."
    Task.objects.create(name="n", kind="k", queue="default", created_at=timezone.now(), dispatch_at=timezone.now())
    assert sentence() == "No worker serves the queue default: its tasks wait until one does."
    health.beat("outcomes", "The sink is behind.")
    assert sentence() == "The sink is behind."
    health.beat("relay", "The relay is behind.")
    assert sentence() == "The relay is behind."
    Pulse.objects.filter(name="sink").delete()
    assert sentence().startswith("The sink gives no sign of life")
    health.beat("broker", "RabbitMQ is out of memory.")
    assert sentence() == "RabbitMQ is out of memory."
    Pulse.objects.filter(name="relay").update(seen_at=timezone.now() - timedelta(seconds=30))
    assert sentence().startswith("The relay gives no sign of life")


@pytest.mark.usefixtures("all_well")
def test_that_tasks_wait_without_any_worker_is_said_in_one_sentence(client: Client) -> None:
    for queue in ("default", "gpu", "nightly"):
        Kind.objects.create(name=queue, queue=queue, announced_at=timezone.now())
        Task.objects.create(name="n", kind="k", queue=queue, created_at=timezone.now(), dispatch_at=timezone.now())
    assert client.get("/readyz").json()["sentence"] == "No worker is connected: tasks wait until one is."
    worker("here", 1, queues=["default"])
    sentence = "No worker serves the queues gpu and nightly: their tasks wait until one does."
    assert client.get("/readyz").json()["sentence"] == sentence


@pytest.mark.usefixtures("all_well")
def test_what_is_late_or_parked_or_waits_for_a_worker_leaves_it_ready(client: Client) -> None:
    for name in ("relay", "outcomes", "parked"):
        health.beat(name, "It is late.")
    Task.objects.create(name="n", kind="k", created_at=timezone.now(), dispatch_at=timezone.now())
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert [answer.json()[part]["ok"] for part in ("relay", "sink", "workers", "parked")] == [True, True, False, False]


@pytest.mark.usefixtures("all_well")
@pytest.mark.parametrize(
    ("dispatched", "waits"),
    [
        ({"dispatch_at": None, "handed_at": timezone.now()}, True),
        ({"dispatch_at": timezone.now() - timedelta(seconds=1)}, True),
        ({"dispatch_at": timezone.now() + timedelta(days=1)}, False),
        ({"dispatch_at": None, "status": "FINISHED"}, False),
    ],
)
def test_a_queue_without_a_worker_is_named_when_tasks_wait_there(
    client: Client, dispatched: dict[str, Any], waits: bool
) -> None:
    worker("here", 1, queues=["default"])
    Kind.objects.create(name="fit", queue="gpu", announced_at=timezone.now())
    Task.objects.create(name="n", kind="fit", queue="gpu", created_at=timezone.now(), **dispatched)
    assert ("queue gpu" in client.get("/readyz").json()["sentence"]) is waits


@pytest.mark.usefixtures("all_well")
def test_what_somebody_has_paused_is_said_when_tasks_wait_there(client: Client, ana: User) -> None:
    def sentence() -> str:
        return str(client.get("/readyz").json()["sentence"])

    now = timezone.now()
    Queue.objects.create(name="default", paused_at=now, paused_by=ana)
    assert sentence() == ""
    Task.objects.create(name="later", kind="k", created_at=now, dispatch_at=now + timedelta(hours=1))
    assert sentence() == ""
    waiting = {"name": "n", "kind": "k", "created_at": now}
    Task.objects.create(**waiting, dispatch_at=now)
    assert sentence() == f"The queue default is paused by ana since {now:%H:%M} UTC: 1 task waits."
    Task.objects.create(**waiting, handed_at=now)
    worker("busy", 1, queues=["gpu"])
    worker("rests", 1, queues=["gpu", "fits"], order="DRAIN", ordered_by=ana)
    Task.objects.create(**waiting, dispatch_at=now, queue="gpu")
    assert sentence() == f"The queue default is paused by ana since {now:%H:%M} UTC: 2 tasks wait."
    for _ in range(3):
        Task.objects.create(**waiting, dispatch_at=now, queue="fits")
    held = "Every worker of the queue fits is drained by ana: 3 tasks wait. 1 more queue is held up."
    assert sentence() == held
    assert client.get("/readyz").status_code == 200
    Worker.objects.filter(name="busy").update(draining=True)
    assert sentence() == held.replace("1 more queue is", "2 more queues are")
    Queue.objects.update(paused_at=None)
    assert sentence() == "No worker serves the queue default: its tasks wait until one does."


@pytest.mark.usefixtures("all_well")
def test_who_may_resume_gets_the_link(client: Client, ana: User, sam: User) -> None:
    task = Task.objects.create(
        name="n", kind="k", created_at=timezone.now(), dispatch_at=timezone.now(), created_by=sam
    )
    worker("w1", 1, queues=["default"], order="STOP", ordered_by=ana)

    def links(page: str) -> list[bool]:
        return [f'<a href="/{page}/">Resume</a>' in banner_and_sentence(client, task, who) for who in (ana, sam)]

    assert links("workers") == [True, False]
    Queue.objects.create(name="default", paused_at=timezone.now())
    assert links("queues") == [True, False]


def banner_and_sentence(client: Client, task: Task, who: User) -> str:
    cache.clear()
    client.force_login(who)
    html = client.get(f"/tasks/{task.pk}/").content.decode()
    banner = client.get("/health/").content.decode()
    assert html.count(">Resume</a>") == 2 * banner.count(">Resume</a>")
    return banner


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_said_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away(*_: object) -> None:
        raise error("the connection failed")

    monkeypatch.setattr(QuerySet, "_fetch_all", away)
    monkeypatch.setattr(connection, "close", lambda: None)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["sentence"] == "The database does not answer."


@pytest.fixture
def alice(client: Client) -> User:
    cache.clear()
    alice = User.objects.create_user("alice")
    client.force_login(alice)
    return alice


@pytest.mark.usefixtures("alice", "all_well")
def test_every_page_shows_what_is_wrong(client: Client) -> None:
    health.beat("broker", "RabbitMQ is <out> of memory.")
    for address in ("/tasks/", "/tasks/new/"):
        page = client.get(address).content.decode()
        assert page.count('<div id="health"') == 1
        assert "RabbitMQ is &lt;out&gt; of memory." in page


@pytest.mark.usefixtures("alice", "all_well")
def test_the_page_is_told_what_is_wrong_when_that_changes(client: Client) -> None:
    first = client.get("/health/", headers={"hx-request": "true"})
    assert "<p>" not in first.content.decode()
    headers = {"hx-request": "true", "hx-ptag": first["HX-PTag"]}
    assert client.get("/health/", headers=headers).status_code == 304
    health.beat("broker", "RabbitMQ is out of memory.")
    cache.clear()
    assert "RabbitMQ is out of memory." in client.get("/health/", headers=headers).content.decode()


@pytest.mark.usefixtures("alice", "all_well")
def test_it_costs_a_page_no_query_within_a_second(client: Client, django_assert_num_queries: Any) -> None:
    client.get("/health/")
    with django_assert_num_queries(2):  # the session and its person
        client.get("/health/")


@pytest.mark.usefixtures("all_well")
def test_a_silent_sink_is_named(client: Client) -> None:
    Pulse.objects.filter(name="sink").update(seen_at=timezone.now() - timedelta(seconds=30))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["sink"]["detail"].startswith("The sink gives no sign of life")


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


def test_a_full_disk_is_told_before_what_follows_from_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_disk_is_full", lambda: True)
    told = client.get("/readyz").json()
    assert told["database"] == {"ok": False, "detail": report.DISK_FULL}
    assert (told["ready"], told["sentence"], told["obstacle"]) == (False, report.DISK_FULL, report.DISK_FULL)
