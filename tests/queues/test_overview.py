"""The overview: what its charts, its health and its balance say, to whom, and what a poll answers."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.queues import balance, broker_looks, charts, health, minutes, spans, spreads
from apps.queues.models import BrokerLook, Minute, Queue
from apps.queues.spans import SPANS
from tests.queues.rows import a_task, ago, waiting
from tests.queues.test_workers import words
from tests.tasks.rows import text_of

NOW = datetime(2026, 3, 29, 1, 30, 15, tzinfo=UTC)
LAST = datetime(2026, 3, 29, 1, 29, tzinfo=UTC)
OUTCOMES, BAD = "millrace.outcomes", "millrace.bad"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def minute(at: datetime, queue: str = "default", *, wait: float = 1, run: float = 10, **counts: int) -> None:
    ended = counts.get("finished", 0) + counts.get("failed", 0)
    spread = [spreads.packed({spreads.bucket(seconds): ended} if ended else {}) for seconds in (wait, run)]
    values = {"created": 0, "finished": 0, "failed": 0, "cancelled": 0, **counts}
    Minute.objects.create(at=at, queue=queue, waits=spread[0], runs=spread[1], **values)


def look(ready: int | None, *, consumers: int = 1, queue: str = "default", **shared: int) -> None:
    """As the relay notes it."""
    held = None if ready is None else (ready, consumers)
    others: dict[str, Any] = {f"millrace.{name}": (count, 1) for name, count in shared.items()}
    broker_looks.note({OUTCOMES: (0, 1), BAD: (0, 0), **others}, {f"millrace.tasks.{queue}": (queue, held)})


def said() -> str:
    (line,) = balance.read(timezone.now()).lines
    return f"{line.word}: {line.said}"


def past_of(name: str, now: datetime = NOW) -> spans.Past:
    return spans.past(SPANS[name], spans.reach(SPANS[name], now))


def test_a_span_adds_up_its_minutes_of_all_queues(db: None) -> None:
    minute(LAST, created=3, finished=2, failed=1)
    minute(LAST, "gpu", finished=1, run=100)
    minute(LAST - timedelta(minutes=59), created=5)
    minute(LAST - timedelta(minutes=60), created=7)
    hour = past_of("1h")
    assert (hour.total.created, hour.total.finished, hour.total.failed) == (8, 3, 1)
    assert (len(hour.slots), hour.slots[-1].start, hour.slots[-1].finished) == (60, LAST, 3)
    assert hour.slots[-1].failed_share == 0.25
    day = past_of("24h")
    assert [slot.created for slot in day.slots[-7:]] == [7, 5, 0, 0, 0, 0, 3]
    assert (day.slots[-1].ran.median, day.reach.end) == (
        spreads.seconds_at({spreads.bucket(10): 1}, 1),
        LAST + timedelta(minutes=1),
    )
    week = past_of("7d")
    assert (week.reach.end, week.slots[-1].created) == (datetime(2026, 3, 29, 2, tzinfo=UTC), 3)


def test_what_is_over_is_read_once_and_what_comes_is_added(db: None, django_assert_num_queries: Any) -> None:
    minute(LAST - timedelta(hours=3), created=1)
    minute(LAST, created=1)
    assert past_of("7d").total.created == 2
    Minute.objects.filter(at__lt=LAST - timedelta(hours=1)).delete()
    minute(LAST + timedelta(minutes=1), created=10)
    later = NOW + timedelta(minutes=1)
    assert past_of("7d", later).total.created == 12
    with django_assert_num_queries(1):
        past_of("7d", later)


def test_a_relay_that_is_away_leaves_the_rest_unknown(web: Client) -> None:
    assert "No minute is counted yet" in words(web.get("/overview/"))
    minute(minutes.minute_of(ago(1_200)), created=1)
    assert "Counted up to" in words(web.get("/overview/"))
    minute(minutes.minute_of(ago(70)), created=1)
    assert "Counted up to" not in words(web.get("/overview/"))


def test_a_chart_says_in_words_what_it_shows(db: None) -> None:
    minute(LAST, created=1_200, finished=900, failed=100, cancelled=2)
    minute(LAST - timedelta(minutes=10), finished=1_000, wait=0.02, run=0.5)
    throughput, failures, wait, run = charts.of(past_of("1h"), UTC)
    assert throughput.said == (
        "1,200 created, 1,900 finished, 100 failed and 2 cancelled in the last hour."
        " The busiest minute began at 01:29: 1,002 ended."
    )
    assert throughput.heights == ("2,000", "1,000", "0")
    assert failures.said == "5.0 % failed: 100 of 2,000 in the last hour. The worst minute began at 01:29: 10 %."
    assert wait.said.startswith("What ended waited 22 ms in the median, and 95 of 100 no longer than 0.89 s")
    assert run.heights == ("10 s", "5 s", "0")
    assert [line.label for line in run.lines] == ["95 of 100 at most", "Median"]


def test_an_empty_span_says_so(web: Client) -> None:
    minute(minutes.minute_of(ago(70)))
    page = words(web.get("/overview/?span=24h"))
    assert "Nothing came or ended in the last 24 hours;" in page
    assert "Nothing finished or failed in the last 24 hours;" in page


def test_axes_are_in_the_readers_zone(web: Client) -> None:
    at = minutes.minute_of(timezone.now()) - timedelta(minutes=1)
    minute(at, created=1)
    web.cookies["millrace_zone"] = "Asia%2FKolkata"
    html = text_of(web.get("/overview/"))
    assert "Wait <small>in each minute</small>" in html
    assert "times in Asia/Kolkata" in html
    assert f"{at + timedelta(hours=5, minutes=30):%H:%M}: 1 created" in html


@pytest.mark.parametrize(
    ("share", "told"),
    [(None, ""), (0, "0 %"), (0.0001, "under 0.1 %"), (0.054, "5.4 %"), (0.999, "over 99 %"), (1, "100 %")],
)
def test_a_share_is_never_told_as_none_or_all_unless_it_is(share: float | None, told: str) -> None:
    assert charts.percent(share) == told


def test_health_has_a_line_for_each_part(web: Client) -> None:
    page = words(web.get("/overview/"))
    assert "The relay gives no sign of life" in page
    assert "Database , well Answers." in page
    cache.clear()
    health.beat_all({"relay": "", "sink": "", "broker": "", "parked": ""})
    page = words(web.get("/overview/"))
    assert "Relay , well Running." in page
    assert "RabbitMQ , well The relay reaches the broker." in page


def test_a_balance_that_agrees_says_so(alice: User) -> None:
    waiting(alice, dispatch_at=None, handed_at=ago(1))
    a_task(alice)
    look(1)
    (line,) = balance.read(timezone.now()).lines
    assert (line.said, line.word, line.handed, line.held) == ("They agree.", "Agrees", 2, 1)


def test_tasks_that_run_are_with_workers_whatever_else_lies_there(alice: User) -> None:
    """Eight of ten that waited were cancelled: their messages are there until a worker is free."""
    for _ in range(2):
        waiting(alice, dispatch_at=None, handed_at=ago(1))
        a_task(alice, status="RUNNING", started_at=ago(9))
    look(10)
    (line,) = balance.read(timezone.now()).lines
    assert (line.word, line.held, line.is_odd) == ("Under way", 2, False)


def test_each_difference_is_named_with_what_mends_it(alice: User) -> None:
    task = waiting(alice, dispatch_at=None, handed_at=ago(1))
    look(0)
    assert said() == "Under way: 1 task is with workers already and not begun: taken ahead, next to run."
    look(3)
    assert said().startswith("Under way: 2 messages more than tasks that wait: of tasks that were cancelled or deleted")
    type(task).objects.update(handed_at=ago(61))
    look(0)
    assert (
        "Under way: 1 task was handed over more than a minute ago, not ready and not begun: a busy worker may hold it"
        in said()
    )
    look(0, consumers=0)
    assert said().startswith("Differs: ")
    assert "neither ready nor with a worker: RabbitMQ has lost it" in said()
    assert "the reconciler hands it over again, usually within 75 seconds" in said()
    look(None)
    assert "RabbitMQ has no such queue" in said()
    Queue.objects.create(name="default", paused_at=ago(1))
    look(0)
    assert "lost" not in said()


def test_what_lies_in_the_queues_that_all_share_is_told(web: Client) -> None:
    assert "The relay has not looked yet" in words(web.get("/overview/"))
    look(0, bad=2, outcomes=1_234)
    page = words(web.get("/overview/"))
    assert "Outcomes on their way 1,234 The sink records them" in page
    assert "2 They stay until a person has looked: ./manage.py parked" in page
    assert balance.read(timezone.now()).odd == 1
    BrokerLook.objects.update(looked_at=ago(40))
    assert "The relay has not looked since" in words(web.get("/overview/"))


def test_a_queue_that_is_looked_at_no_more_is_left_out(db: None) -> None:
    look(1, queue="old")
    BrokerLook.objects.update(looked_at=ago(10))
    look(2)
    assert [line.look.queue for line in balance.read(timezone.now()).lines] == ["default"]


def poll(client: Client, tag: str, span: str = "1h") -> Any:
    return client.get(f"/overview/changes/?span={span}", headers={"HX-Request": "true", "HX-PTag": tag})


def test_a_poll_brings_what_has_changed_alone(web: Client) -> None:
    at = minutes.minute_of(timezone.now()) - timedelta(minutes=2)
    minute(at, created=1)
    look(0)
    tag = text_of(web.get("/overview/")).split('hx-ptag="')[1].split('"')[0]
    assert poll(web, tag).status_code == 304
    look(1)
    response = poll(web, tag)
    assert re.findall(r'hx-target="#([a-z-]+)', text_of(response)) == ["balance"]
    cache.clear()
    health.beat("relay")
    response = poll(web, response["HX-PTag"])
    assert re.findall(r'hx-target="#([a-z-]+)', text_of(response)) == ["health-parts"]
    minute(at + timedelta(minutes=1), finished=1)
    response = poll(web, response["HX-PTag"])
    assert re.findall(r'hx-target="#([a-z-]+)', text_of(response)) == ["past"]
    assert 'hx-target="#past"' in text_of(poll(web, response["HX-PTag"], "7d"))
    assert 'hx-target="#balance"' in text_of(poll(web, "rubbish"))


def test_the_last_hour_stands_in_small_for_whoever_sees_all_tasks(client: Client, sam: User, alice: User) -> None:
    client.force_login(sam)
    assert "/overview/hour/" in text_of(client.get("/tasks/"))
    assert text_of(client.get("/overview/hour/")).strip() == ""
    minute(minutes.minute_of(ago(130)), finished=1_000, failed=10)
    minute(minutes.minute_of(ago(70)), finished=500)
    html = text_of(client.get("/overview/hour/"))
    assert "1,500 finished, 10 failed in the last hour" in html
    heights = [part.split("h2v")[1].split("h")[0] for part in re.findall(r"M\d+ 22h2v[-.\d]+h", html)]
    assert heights == ["-22", "-11", "1"]
    client.force_login(alice)
    assert "/overview/hour/" not in text_of(client.get("/tasks/"))
    assert text_of(client.get("/overview/hour/")).strip() == ""


def test_a_stranger_is_sent_to_sign_in(client: Client, db: None) -> None:
    for path in ("/overview/", "/overview/changes/", "/overview/hour/"):
        assert client.get(path)["Location"] == f"/login/?next={path}"
