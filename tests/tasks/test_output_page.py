"""Output, progress, failures and environments on the pages, as a browser asks for them."""

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from apps.queues.models import Worker
from apps.tasks.models import Attempt, Kind, Task
from apps.tasks.recording import record
from tests.tasks.events import batch, failed, finished, printed, progress, started
from tests.tasks.rows import a_task, text_of
from tests.tasks.test_views import PAYLOADS

BEAT = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": []}


@pytest.fixture
def task(web: Client, alice: User) -> Task:
    record([batch(heartbeat=BEAT)])
    task = a_task(alice)
    record([batch(started(task))])
    return task


class Terminal:
    """A browser that shows the output of a task."""

    def __init__(self, web: Client, task: Task, query: str = "") -> None:
        self.web, self.address = web, f"/tasks/{task.pk}/output/{query}"
        self.page = text_of(web.get(f"/tasks/{task.pk}/{query}"))
        found = re.search(r'id="output-live"[^>]*hx-ptag="([^"]*)"', self.page)
        self.tag = found[1] if found else ""

    def poll(self) -> Any:
        response = self.web.get(self.address, headers={"HX-Request": "true", "HX-PTag": self.tag})
        self.tag = response.headers.get("HX-PTag", self.tag)
        return response


def test_the_page_holds_the_output_as_of_now(web: Client, task: Task) -> None:
    assert "It has printed nothing yet." in text_of(web.get(f"/tasks/{task.pk}/"))
    record([batch(printed(task, 0, "one\n", ("stderr", "two\n"), "thr"))])
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert '<span class="run stdout">one\n</span><span class="run stderr">two\n</span>' in html
    assert '<span id="output-open" class="run stdout">thr</span>' in html


def test_an_unchanged_output_is_told_by_one_query_of_its_own(
    web: Client, task: Task, django_assert_num_queries: Any
) -> None:
    record([batch(printed(task, 0, "one\n"))])
    terminal = Terminal(web, task)
    with django_assert_num_queries(6):  # the session, the user, what they may (two), the attempt, the mark
        response = terminal.poll()
    assert (response.status_code, response.content) == (204, b"")


def test_only_what_is_new_is_sent(web: Client, task: Task, django_assert_num_queries: Any) -> None:
    record([batch(printed(task, 0, "first line\n", "half"))])
    terminal = Terminal(web, task)
    record([batch(printed(task, 15, " and half\n", ("stderr", "oh\n")))])
    with django_assert_num_queries(8):  # and the mark and the pieces
        html = text_of(terminal.poll())
    assert "first line" not in html
    assert 'hx-target="#output-open"' in html
    assert '<span class="run stdout">half and half\n</span><span class="run stderr">oh\n</span>' in html
    assert terminal.poll().status_code == 204


def test_the_first_piece_takes_the_place_of_the_notice(web: Client, task: Task) -> None:
    terminal = Terminal(web, task)
    assert terminal.poll().status_code == 204
    record([batch(printed(task, 0, "hello\n"))])
    html = text_of(terminal.poll())
    assert 'hx-target="#output-log"' in html
    assert "hello" in html


def test_what_is_printed_beyond_a_gap_takes_the_place_of_what_was_before_it(web: Client, task: Task) -> None:
    record([batch(printed(task, 0, "first\n"))])
    terminal = Terminal(web, task)
    assert "left out" not in terminal.page
    record([batch(printed(task, 70_000, "tail one\n"))])
    assert "tail one" in text_of(terminal.poll())
    record([batch(printed(task, 1_234_573, "tail two\n"))])
    html = text_of(terminal.poll())
    assert 'hx-target="#output-rest"' in html
    assert "1,234,567 bytes left out here" in html
    assert "tail two" in html
    assert "tail one" not in html
    assert "first" not in html
    assert terminal.poll().status_code == 204


def test_a_run_that_begins_anew_is_sent_whole(web: Client, task: Task) -> None:
    record([batch(printed(task, 0, "old text\n"))])
    terminal = Terminal(web, task)
    record([batch(printed(task, 0, "new\n"))])
    html = text_of(terminal.poll())
    assert 'hx-target="#output-log"' in html
    assert "new" in html


def test_another_worker_s_run_shows_in_place_of_the_first(web: Client, task: Task) -> None:
    record([batch(printed(task, 0, "of w1\n"))])
    tag = re.search(r'id="live"[^>]*hx-ptag="([^"]*)"', text_of(web.get(f"/tasks/{task.pk}/")))
    assert tag
    record([batch(started(task), printed(task, 0, "of w2\n"), worker="w2")])
    headers = {"HX-Request": "true", "HX-PTag": tag[1]}
    html = text_of(web.get(f"/tasks/{task.pk}/changes/", headers=headers))
    assert 'hx-target="#output"' in html
    assert "of w2" in html
    assert "of w1" not in html


def test_the_polling_ends_with_the_task(web: Client, task: Task) -> None:
    terminal = Terminal(web, task)
    record([batch(finished(task))])
    assert terminal.poll().status_code == 204  # a piece may come late
    record([batch(printed(task, 0, "late\n"))])
    assert "late" in text_of(terminal.poll())
    Attempt.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    assert 'hx-target="#output-live" hx-swap="delete"' in text_of(terminal.poll())
    page = text_of(web.get(f"/tasks/{task.pk}/"))
    assert "late" in page
    assert "output-live" not in page


def test_a_task_that_printed_nothing_says_so(web: Client, task: Task) -> None:
    terminal = Terminal(web, task)
    record([batch(finished(task))])
    assert "It printed nothing." in text_of(web.get(f"/tasks/{task.pk}/"))
    Attempt.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    assert "It printed nothing." in text_of(terminal.poll())
    assert "It printed nothing." in text_of(web.get(f"/tasks/{task.pk}/"))


def test_a_task_that_has_not_begun_has_no_output(web: Client, alice: User) -> None:
    html = text_of(web.get(f"/tasks/{a_task(alice).pk}/"))
    assert re.search(r'<section id="output"[^>]* hidden></section>', html)


def test_the_output_of_an_earlier_attempt_is_within_reach(web: Client, task: Task) -> None:
    record([batch(printed(task, 0, "of the first\n"), failed(task))])
    Task.objects.filter(pk=task.pk).update(status="QUEUEING", attempt=2)
    record([batch(started(task, 2), printed(task, 0, "of the second\n", attempt=2))])
    page = text_of(web.get(f"/tasks/{task.pk}/"))
    assert "of the second" in page
    assert f'href="/tasks/{task.pk}/?attempt=1#output"' in page
    earlier = Terminal(web, task, "?attempt=1")
    assert "of the first" in earlier.page
    assert "Output of attempt 1" in earlier.page
    assert "of the second" not in earlier.page
    assert f'hx-get="/tasks/{task.pk}/changes/?attempt=1"' in earlier.page


def test_the_output_is_downloaded_as_it_was_printed(web: Client, task: Task) -> None:
    record([batch(printed(task, 0, "\x1b[1mä\x1b[0m\r<b>\n"), printed(task, 100_015, "end\n"))])
    response = web.get(f"/tasks/{task.pk}/output.txt?attempt=1")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="task-{task.pk}-attempt-1.txt"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert text_of(response) == "\x1b[1mä\x1b[0m\r<b>\n\n[100,000 bytes left out here]\nend\n"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_printed_is_text(web: Client, task: Task, payload: str) -> None:
    terminal = Terminal(web, task)
    record([batch(printed(task, 0, f"{payload}\n", payload), progress(task, 0.5, payload))])
    for html in (text_of(terminal.poll()), text_of(web.get(f"/tasks/{task.pk}/")), text_of(web.get("/tasks/"))):
        assert escape(payload) in html


@pytest.mark.parametrize("path", ["output/", "output.txt", "attempts/1/environment/", "output/?attempt=2", ""])
def test_the_output_of_others_does_not_exist(web: Client, bob: User, path: str) -> None:
    task = a_task(bob)
    record([batch(started(task), printed(task, 0, "secret"))])
    assert web.get(f"/tasks/{task.pk}/{path}").status_code == 404


@pytest.mark.parametrize("tag", ["", "x", "1.2", "1.2.3.4.5", "-1.0.0.0", "9" * 5000, "1.1.1.99999999999"])
def test_a_tag_that_is_none_gets_everything(web: Client, task: Task, tag: str) -> None:
    record([batch(printed(task, 0, "one\n"))])
    terminal = Terminal(web, task)
    terminal.tag = tag
    assert "one" in text_of(terminal.poll())


@pytest.mark.parametrize("query", ["attempt=0", "attempt=abc", "attempt=%00", "attempt=" + "9" * 30])
def test_an_attempt_that_is_none_is_the_last_one(web: Client, task: Task, query: str) -> None:
    record([batch(printed(task, 0, "one\n"))])
    assert "one" in text_of(web.get(f"/tasks/{task.pk}/?{query}"))
    assert "one" in text_of(web.get(f"/tasks/{task.pk}/output.txt?{query}"))


def test_a_full_output_keeps_the_page_light(web: Client, task: Task, django_assert_max_num_queries: Any) -> None:
    line = "2026-11-26 21:00:00 INFO step {:06d} loss 0.123456 of what is computed here\n"
    head = [line.format(n) for n in range(65_536 // 75)]
    pieces, position = [], 0
    for n in range(0, len(head), 10):
        pieces.append(printed(task, position, *head[n : n + 10]))
        position += pieces[-1]["size"]
    tail = printed(task, 9_000_000, *(line.format(n) for n in range(500)))
    record([batch(*pieces, tail)])
    with django_assert_max_num_queries(22):
        response = web.get(f"/tasks/{task.pk}/")
    assert len(response.content) < 100 * 1024 + 20_000
    assert len(gzip.compress(response.content)) < 30_000
    assert text_of(response).count("<span class=") < 50


def test_a_row_shows_how_far_its_task_has_come(web: Client, task: Task) -> None:
    record([batch(progress(task, 0.427, "epoch 3"))])
    html = text_of(web.get("/tasks/"))
    assert '<progress max="100" value="42" aria-label="Progress">' in html
    assert "<span>42 %</span>" in html
    assert 'title="epoch 3"' in html
    record([batch(finished(task))])
    assert "<progress" not in text_of(web.get("/tasks/"))
    assert "<progress" not in text_of(web.get(f"/tasks/{task.pk}/"))


def test_the_page_gets_its_progress_alone(web: Client, task: Task) -> None:
    tag = re.search(r'id="live"[^>]*hx-ptag="([^"]*)"', text_of(web.get(f"/tasks/{task.pk}/")))
    assert tag
    started_at = timezone.now() - timedelta(minutes=3)
    record([batch(progress(task, 0.5, "half"))])
    headers = {"HX-Request": "true", "HX-PTag": tag[1]}
    html = text_of(web.get(f"/tasks/{task.pk}/changes/", headers=headers))
    assert 'hx-target="#progress"' in html
    assert "<b>50 %</b>" in html
    assert 'hx-target="#sheet"' not in html
    Task.objects.update(started_at=started_at)
    assert "about 3 min left" in text_of(web.get(f"/tasks/{task.pk}/"))
    Worker.objects.all().delete()
    assert "<progress" not in text_of(web.get(f"/tasks/{task.pk}/"))  # nobody goes on with it


def test_an_error_shows_the_faulty_line_of_the_code(web: Client, alice: User) -> None:
    task = a_task(alice, kind="code.python", params={"code": "x = 1\ny = <b>\nz = 3"})
    text = (
        'Traceback (most recent call last):\n  File "<code>", line 2, in <module>\n    y = <b>\n'
        '  File "/usr/lib/python3.11/json/__init__.py", line 1, in loads\n    x\n'
        '  File "/usr/lib/python3.11/json/decoder.py", line 1, in raw\n    x\nValueError: no\n'
    )
    error = {"type": "ValueError", "message": "no", "traceback": text}
    record([batch({**failed(task), "error": error})])
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert '<li value="2" class="is-faulty"><mark>y = &lt;b&gt;</mark></li>' in html
    assert "<summary data-uncopied>2 frames in Python</summary>" in html
    assert '<pre class="own">  File &quot;&lt;code&gt;&quot;, line 2, in &lt;module&gt;' in html
    assert f'href="/tasks/new/?from={task.pk}">Edit the code and run it again' in html


def test_an_attempt_shows_what_it_used(web: Client, task: Task) -> None:
    record([batch(finished(task, cpu_seconds=12.34, peak_bytes=312 * 2**20))])
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert '<td class="figure" data-label="CPU">12 s</td>' in html
    assert '<td class="figure" data-label="Memory">312 MiB</td>' in html


def test_attempts_in_other_environments_say_what_differs(
    web: Client, task: Task, django_assert_max_num_queries: Any
) -> None:
    packages = {"numpy": "1.26.4", "pandas": "2.2.0", "<b>": "1"}
    announce("w1", {"python": "3.11.2", "packages": packages})
    announce("w2", {"python": "3.12.0", "packages": {"numpy": "2.0.0", "pandas": "2.2.0", "zlib": "1"}})
    record([batch(failed(task))])
    Task.objects.filter(pk=task.pk).update(status="QUEUEING", attempt=2)
    record([batch(started(task, 2), worker="w2")])
    with django_assert_max_num_queries(22):
        html = text_of(web.get(f"/tasks/{task.pk}/"))
    table = html.split('id="environments"')[1].split("</table>")[0]
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', table)
    assert rows == [
        ("Python", "3.11.2", "3.12.0"),
        ("&lt;b&gt;", "1", "not there"),
        ("numpy", "1.26.4", "2.0.0"),
        ("zlib", "not there", "1"),
    ]
    page = text_of(web.get(f"/tasks/{task.pk}/attempts/1/environment/"))
    assert "<dt>Python</dt><dd>3.11.2</dd>" in page
    assert '<th scope="row">pandas</th><td>2.2.0</td>' in page


def test_what_is_only_said_of_a_sandbox_is_no_other_environment(web: Client, task: Task) -> None:
    announce("w1", {"python": "3.11.2", "sandbox": "reduced"})
    announce("w2", {"python": "3.11.2", "sandbox": "reduced", "sandbox_missing": ["No Landlock."], "sandbox_fix": ""})
    record([batch(failed(task))])
    Task.objects.filter(pk=task.pk).update(status="QUEUEING", attempt=2)
    record([batch(started(task, 2), worker="w2")])
    html = text_of(web.get(f"/tasks/{task.pk}/"))
    assert html.count('id="attempt-') == 2
    assert 'id="environments"' not in html


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("full", "full</a>: no network, no files or processes but its own"),
        ("reduced", "reduced</a>: no network, no files but its own"),
        ("none", "none</a>: runs no code"),
    ],
)
def test_a_task_that_runs_code_says_how_well_it_was_shut_in(web: Client, task: Task, level: str, said: str) -> None:
    announce("w1", {"sandbox": level, "sandbox_missing": ["No <Landlock>."], "sandbox_fix": "get one"})
    record([batch(finished(task))])
    assert "<dt>Sandbox</dt>" not in text_of(web.get(f"/tasks/{task.pk}/"))
    Kind.objects.filter(name=task.kind).update(runs_code=True)
    path = f"/tasks/{task.pk}/attempts/1/environment/"
    assert f'<dt>Sandbox</dt><dd><a href="{path}">{said}' in text_of(web.get(f"/tasks/{task.pk}/"))
    assert "<dt>It lacks</dt><dd>No &lt;Landlock&gt;.</dd>" in (page := text_of(web.get(path)))
    assert "<dt>What helps</dt><dd><code>get one</code></dd>" in page


@pytest.mark.parametrize("data", [{}, {"python": 3}, {"packages": []}, {"packages": {"x": None}}, {"python": "<b>"}])
def test_whatever_a_worker_announces_is_a_page(web: Client, task: Task, data: dict[str, Any]) -> None:
    announce("w1", data)
    record([batch(finished(task))])
    response = web.get(f"/tasks/{task.pk}/attempts/1/environment/")
    assert response.status_code == 200
    assert "<b>" not in text_of(response)


def announce(worker: str, environment: dict[str, Any]) -> None:
    record([batch(worker=worker, heartbeat={**BEAT, "kinds": [], "environment": environment})])
