"""The page of workers: who sees what of whom, how a worker looks, and what a poll answers."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from apps.queues import heartbeats, workers
from apps.queues.models import Worker
from tests.fixtures.statements import Statements
from tests.queues.rows import PYTHON, a_task, a_worker, ago
from tests.tasks.rows import text_of

LACKS = {
    "sandbox": "reduced",
    "sandbox_missing": ["bubblewrap is not installed."],
    "sandbox_fix": "Install bubblewrap: apt-get install bubblewrap",
}


class Browser:
    """Polls as htmx does: with the tag of the last answer that had one."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.tag = text_of(client.get("/workers/")).split('hx-ptag="')[1].split('"')[0]

    def poll(self) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-PTag": self.tag}
        response: Any = self.client.get("/workers/changes/", headers=headers)
        self.tag = response.headers.get("HX-PTag", self.tag)
        return response  # type: ignore[no-any-return]

    def sees(self) -> str:
        """What comes once a second has passed, after which heartbeats are looked at again."""
        self.tag = re.sub(r"^(\d+)\|\d+", r"\1|1", self.tag)
        return text_of(self.poll())


def words(response: Any) -> str:
    """What a person reads, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(response).split("<main")[1]).split())


def test_a_worker_is_shown_with_all_that_it_reports(web: Client, alice: User) -> None:
    a_worker("vm:7:ab", host="vm", pid=4711, queues=["default", "gpu"], environment=PYTHON)
    task = a_task(alice, "vm:7:ab", name="fit it")
    html, said = text_of(web.get("/workers/")), words(web.get("/workers/"))
    assert "<title>Workers · Millrace</title>" in html
    assert f'href="/tasks/{task.pk}/"' in html
    for part in [
        "1 connected, 1 of 2 slots busy", "vm:7:ab", "vm , pid 4711", "Working", "1 / 2", f"{task.pk} fit it",
        "default, gpu", "Python 3.11.2", "2 packages, full sandbox", "just now", "since ",
    ]:  # fmt: skip
        assert part in said


def test_a_worker_at_rest_is_idle(web: Client) -> None:
    a_worker()
    assert "Idle 0 / 2 default not announced just now" in words(web.get("/workers/"))


def test_a_worker_that_stops_says_so_and_is_gone_after_its_goodbye(web: Client) -> None:
    a_worker(draining=True)
    assert "Stopping" in words(web.get("/workers/"))
    a_worker(draining=True, leaving=True)
    assert "w1" not in words(web.get("/workers/"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(8, "Idle .* just now"), (11.5, "Idle .* 1[123] s ago"), (20, r"Lost .* 2\d s ago"), (3601, "")],
)
def test_a_silent_worker_is_late_then_lost_then_gone(web: Client, seconds: float, said: str) -> None:
    a_worker("silent", seen_seconds_ago=seconds + 0.5)
    a_worker("other", host="i")
    shown = words(web.get("/workers/"))
    assert re.search(f"silent.*{said}", shown) if said else "silent" not in shown


def test_a_lost_worker_stands_last_and_tells_what_it_ran(web: Client, alice: User) -> None:
    a_worker("gone", host="a", seen_seconds_ago=60, concurrency=9)
    a_worker("here", host="b")
    task = a_task(alice, "gone", name="left behind")
    said = words(web.get("/workers/"))
    assert "1 connected, 0 of 2 slots busy" in said
    assert said.index("here") < said.index("gone")
    assert f"{task.pk} left behind to start again on another worker" in said


def test_without_a_worker_the_page_says_how_to_start_one(web: Client) -> None:
    for _ in range(2):
        said = words(web.get("/workers/"))
        assert "No worker is connected" in said
        assert ".venv/bin/honcho -f Procfile.dev start worker" in said
        a_worker("gone", seen_seconds_ago=60)
    assert "Lost" in said


def test_tasks_beyond_a_handful_are_counted(web: Client, alice: User) -> None:
    a_worker(concurrency=9)
    tasks = [a_task(alice, name=f"task-{n}") for n in range(8)]
    said = words(web.get("/workers/"))
    assert f"{tasks[4].pk} task-4 and 3 more" in said
    assert "task-5" not in said


def test_tasks_of_others_are_counted_and_never_named(web: Client, alice: User, bob: User, sam: User) -> None:
    a_worker(concurrency=4)
    mine, secret = a_task(alice, name="mine"), a_task(bob, name="secret")
    html = text_of(web.get("/workers/"))
    assert "3 / 4" not in html
    assert "2 / 4" in html
    assert "secret" not in html
    assert f"/tasks/{secret.pk}/" not in html
    assert f"{mine.pk} mine and 1 of other people" in words(web.get("/workers/"))
    web.force_login(sam)
    assert f"{mine.pk} mine {secret.pk} secret" in words(web.get("/workers/"))


@pytest.mark.parametrize("path", ["/workers/", "/workers/changes/", "/workers/environments/abc/"])
def test_a_stranger_is_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/login/?next={path}")
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("path", ["/workers/", "/workers/changes/"])
def test_nothing_can_be_posted_to_what_is_read(web: Client, path: str) -> None:
    assert web.post(path).status_code == 405


def test_a_slot_is_busy_with_tasks_too_short_to_be_told(web: Client, alice: User) -> None:
    brief = a_task(alice, status="FINISHED", started_at=ago(3), finished_at=ago(2.99))
    waiting = a_task(alice, status="QUEUEING", started_at=None, worker="")
    a_worker(concurrency=4, running=[brief.pk, waiting.pk, 2**70])
    assert "Working 2 / 4" in words(web.get("/workers/"))


def test_a_task_that_has_ended_since_the_heartbeat_keeps_no_slot_busy(web: Client, alice: User) -> None:
    ended = a_task(alice, status="FINISHED", started_at=ago(9), finished_at=ago(1))
    a_worker(running=[ended.pk, a_task(alice).pk])
    assert "Working 1 / 2" in words(web.get("/workers/"))


def test_what_sandboxes_lack_is_said_once_with_the_line_that_helps(web: Client) -> None:
    for n in range(3):
        a_worker(f"poor{n}", environment={**PYTHON, **LACKS})
    a_worker("none", environment={"sandbox": "none", "sandbox_missing": ["No <b>user</b>.", "No Landlock."]})
    a_worker("older", environment={"sandbox": "reduced"})
    a_worker("rich", environment=PYTHON)
    said = words(web.get("/workers/"))
    assert said.count("bubblewrap is not installed.") == 1
    for note in [
        "Reduced sandbox on 3 workers. bubblewrap is not installed. Install bubblewrap: apt-get install bubblewrap",
        "No sandbox on 1 worker: code written in the browser is not run there. No &lt;b&gt;user&lt;/b&gt;. No",
        "Reduced sandbox on 1 worker. The worker's log says what is missing.",
    ]:
        assert note in said


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"python": 3, "packages": [], "sandbox": 1, "sandbox_missing": "x", "sandbox_fix": []},
        {"python": "<script>", "packages": {"<b>": None}, "sandbox": "<i>", "sandbox_missing": [1, {}, "<u>"]},
        {"sandbox": "x" * 9_000, "sandbox_missing": ["y" * 9_000] * 99, "sandbox_fix": "z" * 9_000},
    ],
)
def test_no_announcement_makes_an_error(web: Client, environment: dict[str, Any]) -> None:
    worker = a_worker("<w>" * 60, host="<h>" * 60, queues=[f"<q>{n}" * 20 for n in range(200)], environment=environment)
    html = text_of(web.get("/workers/"))
    assert not re.search(r"<(script>|w>|h>|q>|i>|u>)", html)
    assert len(html) < 40_000
    assert web.get(f"/workers/environments/{worker.environment_id}/").status_code == 200


def test_the_packages_of_a_worker_have_a_page(web: Client) -> None:
    worker = a_worker(environment=PYTHON)
    a_worker("w2", environment=PYTHON)
    said = words(web.get(f"/workers/environments/{worker.environment_id}/"))
    for part in ["What these workers can import", "Workers w1 w2", "Python 3.11.2", "Packages 2", "pandas 2.2.1"]:
        assert part in said


@pytest.mark.parametrize("digest", ["abc", "0" * 32, "0" * 5_000, "a%00b"])
def test_packages_of_nobody_are_a_page_in_our_style(web: Client, digest: str) -> None:
    response = web.get(f"/workers/environments/{digest}/")
    assert response.status_code == 404
    assert "Back to the tasks" in text_of(response)


def test_an_unchanged_page_is_told_by_one_tiny_query(web: Client, django_assert_num_queries: Any) -> None:
    a_worker()
    browser = Browser(web)
    browser.tag = re.sub(r"^(\d+)\|\d+", rf"\1|{2**40}", browser.tag)
    with django_assert_num_queries(3):  # the session, the user, the tick
        response = browser.poll()
    assert (response.status_code, response.content) == (304, b"")


def test_heartbeats_of_those_on_time_change_nothing(web: Client) -> None:
    a_worker()
    browser = Browser(web)
    a_worker()
    assert browser.sees() == ""
    assert browser.poll().status_code == 304


def test_a_changed_worker_comes_alone(web: Client, alice: User) -> None:
    for n in range(5):
        a_worker(f"w{n}")
    browser = Browser(web)
    a_task(alice, "w3", name="begun")
    html = text_of(browser.poll())
    assert html.count("<tr") == 1
    assert "begun" in html
    assert "1 of 10 slots busy" in html
    assert 'hx-trigger="every 500ms' in html
    assert browser.poll().status_code == 304


def test_whoever_comes_or_is_lost_or_leaves_changes_the_table(web: Client) -> None:
    browser = Browser(web)
    a_worker()
    assert 'hx-target="#workers"' in browser.sees()
    Worker.objects.update(last_seen_at=ago(20))
    assert "No worker is connected" in browser.sees()
    assert browser.sees() == ""
    heartbeats.record([("w1", {"host": "h", "pid": 7, "queues": [], "concurrency": 2, "running": []})], ago(0))
    assert "Idle" in browser.sees()
    a_worker(leaving=True)
    assert "<tr" not in browser.sees()


def test_a_browser_that_is_not_understood_gets_everything(web: Client) -> None:
    a_worker()
    browser = Browser(web)
    for tag in ("", "nonsense", "1|2|x|y|z", f"1|{2**40}|view|a.b|1:x"):
        browser.tag = tag
        html = text_of(browser.poll())
        assert html.count("<hx-partial") == 4
        assert 'hx-target="#workers"' in html


def test_the_tag_of_one_person_holds_for_nobody_else(web: Client, alice: User, bob: User) -> None:
    a_worker()
    a_task(alice, name="mine")
    browser = Browser(web)
    browser.tag = re.sub(r"^(\d+)\|\d+", rf"\1|{2**40}", browser.tag)
    web.force_login(bob)
    html = text_of(browser.poll())
    assert "1 of other people" in html
    assert "mine" not in html


def test_many_workers_cost_as_many_queries_as_one(web: Client, alice: User, bob: User, statements: Statements) -> None:
    def queries(count: int) -> int:
        for n in range(count):
            a_worker(f"w{n}", environment={"python": f"3.{count}{n}"}, running=[n + 10_000])
            a_task(alice, f"w{n}")
            a_task(bob, f"w{n}")
        cache.clear()
        with statements() as asked:
            assert text_of(web.get("/workers/")).count("<tr id=") == count
        return len(asked)

    assert queries(1) == queries(60)


def test_more_workers_than_fit_are_told(web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        a_worker(f"here{n}")
        a_worker(f"gone{n}", seen_seconds_ago=60)
    monkeypatch.setattr(workers, "MOST_ALIVE", 3)
    monkeypatch.setattr(workers, "MOST_LOST", 2)
    html = text_of(web.get("/workers/"))
    assert html.count("<tr id=") == 5
    assert "3+ connected" in html
    assert "Of those lost" in html
    assert html.count("are shown") == 2


def test_the_tag_of_a_full_page_fits_a_header(web: Client, alice: User) -> None:
    for n in range(workers.MOST_ALIVE):
        a_worker(f"w{n}")
    assert len(workers.look(alice)[1].encode()) < 6_000
