"""The page of queues, what can be done there and at the page of workers, and what a poll answers."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from apps.queues import figures, services
from apps.queues.models import Queue, Worker
from apps.tasks.models import Kind, Task
from tests.queues.rows import a_task, a_worker, ago, waiting
from tests.queues.test_workers import words
from tests.tasks.rows import text_of

HTMX = {"HX-Request": "true"}


def row(client: Client, name: str = "default", path: str = "/queues/") -> str:
    """What stands in its row, on one line."""
    cache.clear()
    html = text_of(client.get(path))
    found = next(part for part in html.split("<tr ") if re.search(rf'class="name"[^>]*>{re.escape(name)}<', part))
    return " ".join(re.sub(r"<[^>]+>", " ", found.split("</tr>")[0].split(">", 1)[1]).split())


def test_a_queue_says_what_waits_and_runs_and_who_serves_it(web: Client, alice: User, bob: User) -> None:
    assert row(web) == "default Idle 0 0 0 0 none"
    assert "No worker is connected, so nothing begins: how to start one" in words(web.get("/queues/"))
    a_worker(concurrency=3)
    assert "No worker is connected" not in words(web.get("/queues/"))
    waiting(bob, created_at=ago(7_200), dispatch_at=ago(125.5))
    waiting(alice, dispatch_at=None, handed_at=ago(1))
    waiting(alice, dispatch_at=ago(-60))
    said = re.sub(r"\d+ min \d+ s", "AGE", row(web))
    assert said == "default Waiting 2 1 in RabbitMQ 1 for later AGE 0 2 0 1 worker 3 slots"
    a_task(alice)
    a_task(alice, status="FAILED", finished_at=ago(1))
    assert row(web).startswith("default Working 2")
    assert "2 waiting, 1 running" in words(web.get("/queues/"))
    assert "Only who has the permission" in words(web.get("/queues/"))


def test_that_nobody_serves_it_is_said_only_when_work_waits(web: Client, alice: User, ana: User) -> None:
    for name in ("default", "gpu"):
        Queue.objects.create(name=name)
    a_worker("other", queues=["gpu"])
    assert "nobody serves it" not in row(web)
    waiting(alice)
    assert row(web).startswith("default Not served 1")
    assert row(web).endswith("Work waits, and nobody serves it")
    waiting(alice, queue="gpu")
    assert "1 worker 2 slots" in row(web, "gpu")
    services.drain_worker(user=ana, name="other")
    assert row(web, "gpu").endswith("Work waits, and every worker of it is drained by ana")


def test_counts_beyond_the_cap_are_told_as_such(web: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.queues.queue_table.figures.of", lambda names, _now: {
        name: figures.Figures(due=figures.COUNT_CAP + 1) for name in names
    })  # fmt: skip
    assert row(web).startswith("default Not served 10,000+")
    assert "10,001+ waiting" in words(web.get("/queues/"))


def test_whoever_may_pauses_and_resumes_with_a_form(desk: Client, alice: User) -> None:
    response = desk.post("/queues/default/pause/", follow=True)
    assert "Queue default is paused: nothing of it begins." in words(response)
    assert row(desk).startswith("default Paused by ana, ")
    assert "1 paused" in words(desk.get("/queues/"))
    Kind.objects.create(name="demo.noop", announced_at=ago(0))
    form = "The queue default is paused by ana: a task of it waits until that is over."
    assert form in words(desk.get("/tasks/new/"))
    toast: Any = desk.post("/queues/default/pause/", headers=HTMX)
    assert "was paused already" in text_of(toast)
    assert "tasks-changed" in toast["HX-Trigger"]
    desk.post("/queues/default/resume/")
    assert row(desk).startswith("default Idle")
    assert form not in words(desk.get("/tasks/new/"))


@pytest.mark.parametrize("who", ["alice", "sam"])
def test_who_may_not_sees_no_button_and_is_told_why(client: Client, alice: User, sam: User, who: str) -> None:
    client.force_login(User.objects.get(username=who))
    a_worker()
    for page, path, data in [
        ("/queues/", "/queues/default/pause/", {}),
        ("/queues/", "/queues/default/purge/", {"typed": "default"}),
        ("/workers/", "/workers/drain/", {"name": "w1"}),
        ("/workers/", "/workers/stop/", {"name": "w1", "confirmed": "1"}),
    ]:
        html = text_of(client.get(page))
        assert "formaction" not in html
        assert "Only who has the permission" in html
        response = client.post(path, data)
        assert response.status_code == 403
        assert "Only who has the permission" in words(response)
        assert client.post(path, data, headers=HTMX).status_code == 403
    assert "Only who has the permission" in words(client.get("/queues/default/purge/"))
    assert not Queue.objects.paused().exists()
    assert Worker.objects.get().order == ""


def test_a_purge_has_the_name_typed_first(desk: Client, alice: User) -> None:
    tasks = [waiting(alice), waiting(alice), waiting(alice, dispatch_at=ago(-60))]
    asked = words(desk.get("/queues/default/purge/"))
    assert "2 tasks now, and 1 scheduled for later or waiting for the next try" in asked
    wrong = desk.post("/queues/default/purge/", {"typed": "defalt"})
    assert wrong.status_code == 422
    assert 'value="defalt"' in text_of(wrong)
    assert "Nothing was cancelled: the name of this queue is default." in words(wrong)
    assert not Task.objects.filter(status="CANCELLED").exists()
    done = desk.post("/queues/default/purge/", {"typed": " default "}, follow=True)
    assert "3 tasks of the queue default are cancelled." in words(done)
    assert Task.objects.filter(status="CANCELLED").count() == len(tasks)
    again = desk.post("/queues/default/purge/", {"typed": "default"}, follow=True)
    assert "Nothing waited in the queue default." in words(again)


def test_a_purge_that_is_not_over_says_so(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "purge_queue", lambda **_: services.Purge(1, 2_500))
    done = desk.post("/queues/default/purge/", {"typed": "default"}, follow=True)
    assert "1 task of the queue default is cancelled. 2,500 still wait: purge it once more." in words(done)


@pytest.mark.parametrize("act", ["pause", "resume", "purge"])
def test_a_queue_that_is_none_is_not_found(desk: Client, act: str) -> None:
    response = desk.post(f"/queues/nowhere/{act}/", {"typed": "nowhere"})
    assert response.status_code == 404
    assert "There is no queue nowhere." in words(response)


def test_a_worker_is_drained_and_resumed(desk: Client, alice: User) -> None:
    a_worker(concurrency=2)
    task = a_task(alice)
    said = words(desk.post("/workers/drain/", {"name": "w1"}, follow=True))
    assert "Worker w1 is told to take nothing new." in said
    assert "w1 h , pid 7 Working told to drain 1 / 2" in row(desk, "w1", "/workers/")
    a_worker(concurrency=2, draining=True)
    assert "Draining by ana 1 / 2" in row(desk, "w1", "/workers/")
    Task.objects.filter(pk=task.pk).update(status="FINISHED", finished_at=ago(0))
    assert "Drained by ana 0 / 2" in row(desk, "w1", "/workers/")
    desk.post("/workers/resume/", {"name": "w1"})
    assert "Idle 0 / 2" in row(desk, "w1", "/workers/")


def test_a_stop_asks_first_where_there_is_no_script(desk: Client) -> None:
    a_worker()
    asked = desk.post("/workers/stop/", {"name": "w1"})
    assert "Stop worker w1?" in words(asked)
    assert Worker.objects.get().order == ""
    desk.post("/workers/stop/", {"name": "w1", "confirmed": "1"})
    assert "told to stop" in row(desk, "w1", "/workers/")
    a_worker(draining=True)
    assert "Stopping by ana" in row(desk, "w1", "/workers/")


def test_a_worker_that_is_gone_is_told_so(desk: Client) -> None:
    a_worker(leaving=True)
    response = desk.post("/workers/drain/", {"name": "w1"})
    assert (response.status_code, "Worker w1 has left already." in words(response)) == (404, True)
    assert desk.post("/workers/drain/", {}).status_code == 404


def poll(client: Client, tag: str) -> Any:
    """As htmx does, a second later."""
    cache.clear()
    tag = re.sub(r"^(\d+)\|\d+", r"\1|1", tag)
    return client.get("/queues/changes/", headers={**HTMX, "HX-PTag": tag})


def test_a_poll_brings_the_rows_that_changed_and_nothing_else(
    web: Client, alice: User, django_assert_num_queries: Any
) -> None:
    Queue.objects.create(name="gpu")
    tag = text_of(web.get("/queues/")).split('hx-ptag="')[1].split('"')[0]
    within_its_second = re.sub(r"^(\d+)\|\d+", r"\1|99999999999", tag)
    with django_assert_num_queries(3):  # the session, the user, the tick
        assert web.get("/queues/changes/", headers={**HTMX, "HX-PTag": within_its_second}).status_code == 304
    same = poll(web, tag)
    assert (same.status_code, same.content) == (304, b"")
    waiting(alice, queue="gpu")
    response = poll(web, same["HX-PTag"])
    assert re.findall(r'hx-target="#([a-z-]+)', text_of(response)) == ["queues-summary", "queue-", "live"]
    assert "default" not in text_of(response)
    Queue.objects.create(name="fresh")
    assert 'hx-target="#queues"' in text_of(poll(web, response["HX-PTag"]))
    assert 'hx-target="#queues"' in text_of(poll(web, "rubbish"))


def test_many_queues_cost_as_many_queries_as_one(web: Client, alice: User, django_assert_max_num_queries: Any) -> None:
    for n in range(150):
        Queue.objects.create(name=f"queue-{n:03}")
    waiting(alice, queue="queue-003")
    a_worker(queues=["default", *(f"queue-{n:03}" for n in range(150))])
    with django_assert_max_num_queries(18):
        said = words(web.get("/queues/"))
    assert "queue-098" in said
    assert "And 51 more: the first are shown." in said


@pytest.mark.parametrize("path", ["/queues/", "/queues/changes/", "/queues/default/purge/"])
def test_a_stranger_is_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/login/?next={path}")
