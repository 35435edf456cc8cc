"""Polling: nothing for an unchanged table, the changed rows alone, everything for a browser that is not understood."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.queues.models import Worker
from apps.tasks import table
from apps.tasks.clock import tick
from apps.tasks.live import Tag
from apps.tasks.models import Attempt, Task


class Browser:
    """Polls as htmx does: with the tag of the last answer that had one."""

    def __init__(self, client: Client, query: str = "") -> None:
        self.client = client
        page = client.get(f"/tasks/?{query}").content.decode()
        self.address = page.split('id="live" hidden hx-get="')[1].split('"')[0].replace("&amp;", "&")
        self.tag = page.split('hx-ptag="')[1].split('"')[0]

    def poll(self, **extra: Any) -> HttpResponse:
        response: Any = self.client.get(self.address, extra, headers={"HX-Request": "true", "HX-PTag": self.tag})
        self.tag = response.headers.get("HX-PTag", self.tag)
        return response  # type: ignore[no-any-return]

    def sees(self, **extra: Any) -> str:
        return self.poll(**extra).content.decode()


def a_task(owner: User, **fields: Any) -> Task:
    now = timezone.now()
    task = Task.objects.create(**{"name": "n", "kind": "demo.noop", "created_by": owner, "created_at": now, **fields})
    tick()
    return task


def change(task: Task, **fields: Any) -> None:
    Task.objects.filter(pk=task.pk).update(**fields)
    tick()


def a_worker(name: str, *, seen_seconds_ago: int = 0) -> Worker:
    seen_at = timezone.now() - timedelta(seconds=seen_seconds_ago)
    fields = {"host": "h", "pid": 1, "queues": ["default"], "concurrency": 1, "started_at": seen_at}
    return Worker.objects.update_or_create(name=name, defaults={**fields, "last_seen_at": seen_at})[0]


def test_browsers_that_show_the_same_are_told_it_at_the_price_of_one(
    alice: User, sam: User, kinds: object, django_assert_num_queries: Any
) -> None:
    task = a_task(alice, name="before")
    operators = [signed_in(User.objects.create_user(name, is_staff=True)) for name in ("o", "p")]
    first, second, owners = [Browser(client) for client in (*operators, signed_in(alice))]
    change(task, name="after")
    told = first.poll()
    assert b"after" in told.content
    with django_assert_num_queries(3):  # the session, the user, the tick
        assert second.poll().content == told.content
    assert second.tag == first.tag
    assert "after" in owners.sees()
    assert owners.tag != first.tag
    a_task(sam, name="theirs")
    assert "theirs" in second.sees()
    assert "theirs" in first.sees()
    assert owners.poll().status_code == 304


def test_a_count_of_several_may_be_a_moment_older_but_then_says_so(
    web: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "SEVERAL", 1)
    monkeypatch.setattr(table, "SEVERAL_SECONDS", 3600)  # it is over when the test says so
    for _ in range(2):
        a_task(alice)
    browser = Browser(web)
    assert float(browser.tag.split("|")[1]) == 0  # counted a moment ago
    a_task(alice, status="FINISHED")
    a_task(alice)
    answer = browser.poll()
    assert counts(answer) == {"All": 3, "Queueing": 2, "Finished": 1}
    assert float(browser.tag.split("|")[1]) > 0
    cache.clear()
    browser.tag = later(browser.tag)
    assert counts(browser.poll()) == {"All": 4, "Queueing": 3, "Finished": 1}
    assert float(browser.tag.split("|")[1]) == 0


def counts(response: HttpResponse) -> dict[str, int]:
    """Of the strip, those that are not 0."""
    found = re.findall(r"(?:</span>)?(\w+) <b>(\d+)</b>", response.content.decode())
    return {label: int(count) for label, count in found if count != "0"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_unchanged_table_is_told_by_one_tiny_query(web: Client, alice: User, django_assert_num_queries: Any) -> None:
    a_task(alice, status="FINISHED", value_text="1.0")
    browser = Browser(web)
    with django_assert_num_queries(3):  # the session, the user, the tick
        response = browser.poll()
    assert (response.status_code, response.content) == (304, b"")


def test_a_tick_elsewhere_is_still_nothing_to_say(web: Client, alice: User, bob: User) -> None:
    a_task(alice)
    a_worker("w1")
    browser = Browser(web)
    a_task(bob)
    response = browser.poll()
    assert (response.status_code, response.content) == (304, b"")
    assert browser.tag == response["HX-PTag"]


def test_a_changed_row_comes_alone(web: Client, alice: User) -> None:
    a_worker("w1")
    tasks = [a_task(alice) for _ in range(5)]
    browser = Browser(web)
    change(tasks[2], status="FINISHED", value_text="0.5")
    html = browser.sees()
    assert f'hx-target="#task-{tasks[2].pk}"' in html
    assert html.count("<tr") == 1
    assert 'hx-target="#counts"' in html
    assert 'hx-target="#table"' not in html
    assert len(html) < 4_000
    assert browser.poll().status_code == 304


def test_how_many_match_is_told_at_the_link_to_all_of_them_too(web: Client, alice: User) -> None:
    gone, *_ = [a_task(alice, status="FAILED") for _ in range(52)]
    browser = Browser(web, "q=status:FAILED")
    change(gone, status="FINISHED")  # it stands on the second page
    html = browser.sees()
    assert "<b>51</b> tasks match" in html
    assert 'hx-target="#everything"' in html
    assert "Choose all 51 that match" in html
    assert "<tr" not in html


def test_an_error_that_comes_later_changes_its_row(web: Client, alice: User) -> None:
    task = a_task(alice, status="FAILED")
    browser = Browser(web)
    Attempt.objects.create(task=task, number=1, worker="w", started_at=timezone.now(), error_type="ValueError")
    tick()
    assert "ValueError" in browser.sees()


def test_a_new_task_brings_the_rows_again(web: Client, alice: User) -> None:
    a_task(alice)
    browser = Browser(web)
    new = a_task(alice, name="brand new")
    html = browser.sees()
    assert 'hx-target="#table"' in html
    assert f'id="task-{new.pk}"' in html


def test_a_deleted_task_leaves(web: Client, alice: User) -> None:
    gone = a_task(alice)
    browser = Browser(web)
    gone.delete()
    tick()
    assert "No tasks yet" in browser.sees()


def test_a_reader_who_has_scrolled_is_told_of_new_tasks_instead(web: Client, alice: User) -> None:
    top = a_task(alice)
    browser = Browser(web)
    assert browser.poll(seen=top.pk).status_code == 304
    for _ in range(12):
        a_task(alice)
    html = browser.sees(seen=top.pk)
    assert "12 new tasks" in html
    assert "<tr" not in html
    assert browser.poll(seen=top.pk).status_code == 304
    released = browser.sees()
    assert released.count("<tr id=") == 13
    assert "new task" not in released


def test_an_older_page_announces_what_is_new(web: Client, alice: User) -> None:
    numbers = [a_task(alice).pk for _ in range(60)]
    browser = Browser(web, f"after={numbers[10]}")
    a_task(alice)
    html = browser.sees()
    assert "1 new task<" in html
    assert "<tr" not in html


def test_the_rhythm_slows_down_when_all_is_still(web: Client, alice: User) -> None:
    a_worker("w1")
    task = a_task(alice)
    browser = Browser(web)
    assert "every 500ms" in web.get("/tasks/").content.decode()
    change(task, status="FINISHED")
    html = browser.sees()
    assert 'hx-target="#live"' in html
    assert "every 800ms" in html


def test_a_worker_that_falls_silent_shows_without_a_tick(web: Client, alice: User) -> None:
    a_worker("w2")
    a_worker("w1", seen_seconds_ago=13)
    a_task(alice, status="RUNNING", worker="w1", started_at=timezone.now())
    browser = Browser(web)
    assert browser.poll().status_code == 304
    a_worker("w1", seen_seconds_ago=20)
    browser.tag = later(browser.tag)
    assert "for another worker" in browser.sees()


def test_a_time_that_has_come_shows_without_a_tick(web: Client, alice: User) -> None:
    a_worker("w1")
    task = a_task(alice, run_at=timezone.now() + timedelta(hours=1))
    browser = Browser(web)
    assert Tag.decode(browser.tag)
    Task.objects.filter(pk=task.pk).update(run_at=timezone.now() - timedelta(seconds=1))
    browser.tag = later(browser.tag)
    html = browser.sees()
    assert f'id="task-{task.pk}"' in html
    assert "data-clock" not in html


@pytest.mark.parametrize(
    "tag", ["", "x", "1|2|3", "a|b|c|d|e", "1|0|v|p|1:2:3", "1|0|v|p|x:y", "|" * 4, "\xff" * 9, "9" * 9000]
)
def test_a_tag_that_is_none_gets_everything(web: Client, alice: User, tag: str) -> None:
    task = a_task(alice)
    browser = Browser(web)
    browser.tag = tag
    html = browser.sees()
    assert f'id="task-{task.pk}"' in html
    assert 'hx-target="#counts"' in html


def test_a_tag_of_another_view_or_person_does_not_hold(web: Client, alice: User, bob: User) -> None:
    a_task(alice, status="FINISHED")
    browser = Browser(web)
    failed = Browser(web, "status=FAILED")
    failed.tag = browser.tag
    assert "No task is failed" in failed.sees()
    web.force_login(bob)
    assert "No tasks yet" in browser.sees()


def test_what_is_by_me_is_not_told_to_another(alice: User, kinds: object) -> None:
    one, another = (User.objects.create_user(name, is_staff=True) for name in ("o", "p"))
    a_task(one, name="before")
    tables = [Browser(signed_in(person), "q=by:me") for person in (one, another)]
    a_task(one, name="after")
    assert [("after" in table.sees()) for table in tables] == [True, False]


def test_a_tag_survives_its_travel() -> None:
    tag = Tag(ticks=5, until=0, view="abc", parts=("500ms", "x"), rows={12: "a-_b", 3: "zz"})
    assert Tag.decode(tag.encode()) == tag


def test_fifty_rows_fit_into_a_header(web: Client, alice: User) -> None:
    for _ in range(50):
        a_task(alice)
    assert len(Browser(web).tag) < 1_000


def test_the_page_of_a_task_is_sent_when_it_changes(web: Client, alice: User) -> None:
    task = a_task(alice, status="FINISHED", value_text="1.5")
    address = f"/tasks/{task.pk}/changes/"
    html = web.get(f"/tasks/{task.pk}/").content.decode()
    tag = html.split('hx-ptag="')[1].split('"')[0]
    headers = {"HX-Request": "true", "HX-PTag": tag}
    assert web.get(address, headers=headers).status_code == 304
    tick()
    assert web.get(address, headers=headers).status_code == 304
    change(task, status="FAILED", reason="ERROR")
    response = web.get(address, headers=headers)
    assert response.status_code == 200
    assert "is-failed" in response.content.decode()
    task.delete()
    tick()
    gone = web.get(address, headers=headers)
    assert gone.status_code == 404
    assert "is gone · Millrace</title>" in gone.content.decode()
    assert gone["HX-Reswap"] == "innerHTML"


def test_the_page_of_a_running_task_tells_the_time(web: Client, alice: User) -> None:
    a_worker("w1")
    started_at = timezone.now() - timedelta(seconds=30)
    task = a_task(alice, status="RUNNING", worker="w1", started_at=started_at)
    html = web.get(f"/tasks/{task.pk}/").content.decode()
    assert re.search(r"Running on w1 for <time [^>]*data-since>30 s</time>\.", html)
    assert "data-since" in html
    assert "every 500ms" in html


def test_a_running_task_is_not_sent_again_for_its_seconds(web: Client, alice: User) -> None:
    a_worker("w1")
    task = a_task(alice, status="RUNNING", worker="w1", started_at=timezone.now() - timedelta(seconds=30))
    html = web.get(f"/tasks/{task.pk}/").content.decode()
    change(task, started_at=task.started_at)
    tag = html.split('hx-ptag="')[1].split('"')[0]
    response = web.get(f"/tasks/{task.pk}/changes/", headers={"HX-Request": "true", "HX-PTag": later(tag)})
    assert response.status_code == 304


def later(tag: str) -> str:
    """The tag as it is once its time has passed."""
    at, until, *rest = tag.split("|")
    assert float(until) > 0
    return "|".join([at, "1", *rest])
