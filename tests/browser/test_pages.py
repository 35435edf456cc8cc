"""Every page in every state: no rule of accessibility broken, nothing sideways, not too heavy; and a task's page."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.tasks import sweeps
from apps.tasks.clock import tick
from apps.tasks.models import Attempt, Task
from apps.tasks.recording import record
from tests.fixtures.processes import ROOT
from tests.tasks.events import batch, failed, printed, progress, started

Open = Callable[[str], Page]
Make = Callable[..., Task]
WIDTHS = (320, 360, 768, 1024, 1280, 1440)
ABOUT_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}
LONG = "a name that goes on " * 6 + "x" * 70
TRACEBACK = 'Traceback (most recent call last):\n  File "<b>handler.py</b>", line 1, in run\n' + "    y" * 200
CODE_TRACEBACK = (
    'Traceback (most recent call last):\n  File "<code>", line 20, in <module>\n    x()\n'
    + '  File "/usr/lib/python3.11/json/__init__.py", line 1, in loads\n    pass\n' * 5
    + "ValueError: no\n"
)

WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
  .observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def numbers(make: Make) -> dict[str, int]:
    """A task of every status, and one of each odd value with a long name."""
    now = timezone.now()
    for value in ("nan", "inf", "-0.0", "1e-300", "12345.678", "0.123456789012345"):
        make(name=LONG, kind="k" * 90, status="FINISHED", value_text=value, started_at=now, finished_at=now)
    tasks = {
        "queueing": make(),
        "scheduled": make(run_at=now + timedelta(hours=2), reason="SCHEDULED"),
        "running": make(status="RUNNING", worker="w1", started_at=now),
        "stranded": make(status="RUNNING", worker="gone", started_at=now),
        "cancelled": make(status="CANCELLED"),
        "result": make(status="FINISHED", result='{"a": [1, 2, "\\u00e4"]}', params={"x": "y" * 300}),
        "failed": make(status="FAILED", name=LONG, reason="ERROR", worker="w1", started_at=now, finished_at=now),
    }
    tasks["retrying"] = make(
        reason="RETRY_WAIT", attempt=2, errors=1, max_attempts=3, run_at=now + timedelta(hours=1), timeout_seconds=60,
        idempotency_key="k" * 200,
    )  # fmt: skip
    Attempt.objects.create(
        task=tasks["retrying"], number=1, worker="w1", status="FAILED", reason="ERROR", started_at=now,
        finished_at=now, run_seconds=1.5, error_type="ValueError", error_message="z" * 300, traceback=TRACEBACK,
    )  # fmt: skip
    Attempt.objects.create(
        task=tasks["failed"], number=1, worker="w1" * 60, status="FAILED", reason="ERROR", started_at=now,
        finished_at=now, run_seconds=1.5, error_type="ValueError", error_message="z" * 300, traceback=TRACEBACK,
    )  # fmt: skip
    tasks["printing"] = make(name=LONG)
    packages = {"python": "3.11.2", "packages": {"numpy": "2.0.0", "p" * 90: "v" * 90}}
    beat = {"host": "h", "pid": 7, "queues": [], "concurrency": 1, "running": [], "kinds": [], "environment": packages}
    parts: list[Any] = ["x" * 500, ("stderr", "y" * 500)]
    record([batch(started(tasks["printing"]), printed(tasks["printing"], 0, *parts), worker="w2", heartbeat=beat)])
    record([batch(printed(tasks["printing"], 9_999, "tail", is_tail=True), worker="w2")])
    record([batch(progress(tasks["printing"], 0.4, "z" * 200), worker="w2")])
    tasks["coded"] = make(
        name="coded", kind="code.python", params={"code": "\n".join(f"x = {n}" * 40 for n in range(30))}
    )
    error = {"type": "ValueError", "message": "no", "traceback": CODE_TRACEBACK}
    record([batch({**failed(tasks["coded"]), "error": error})])
    tick()
    return {name: task.pk for name, task in tasks.items()}


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of the table is full sooner: of fifty rows axe would take thrice as long and find the same."""
    monkeypatch.setattr("apps.tasks.table.ROWS", 15)


@pytest.fixture
def many(make: Make) -> None:
    """As many tasks as a page has rows; what else there is, is made after them."""
    now = timezone.now()
    for _ in range(40):
        make(name=LONG, kind="k" * 90, status="FINISHED", value_text="1e-300", started_at=now, finished_at=now)


def every_page(numbers: dict[str, int]) -> list[str]:
    tasks = [f"/tasks/{number}/" for number in numbers.values()]
    lists = ["/tasks/", "/tasks/?status=FAILED", f"/tasks/?after={numbers['queueing']}", "/tasks/?status=FOO"]
    lists += ["/tasks/?q=name:none", "/tasks/?q=kind:demo&sort=-ran", "/tasks/look/", "/tasks/all/?q=status:FAILED"]
    environment = f"/tasks/{numbers['printing']}/attempts/1/environment/"
    others = ["/tasks/new/?kind=demo.coin", "/tasks/424242/", "/audit/", "/audit/?act=drop", "/audit/?person=nobody"]
    return [*lists, *tasks, environment, *others]


def faults(page: Page) -> list[str]:
    """By every rule of axe in the light theme, and in the dark one by those that look at colours."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    violations = [*Axe().run(page).response["violations"]]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    violations += page.evaluate("only => axe.run(only)", ABOUT_COLOURS)["violations"]
    return [f"{page.url} {v['id']}: {[node['html'][:120] for node in v['nodes']][:3]}" for v in violations]


def sideways(page: Page) -> dict[int, int]:
    """The width of what does not fit, by the width of the window."""
    widths = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        widths[width] = page.evaluate("document.documentElement.scrollWidth")
    return {width: found for width, found in widths.items() if found > width}


def test_no_page_breaks_a_rule_of_accessibility(
    opened: Open, console: Page, few_rows: None, numbers: dict[str, int]
) -> None:
    console.emulate_media(reduced_motion="reduce")
    found = []
    shown = [f"/tasks/{numbers[name]}/" for name in ("running", "result", "failed", "retrying", "printing", "coded")]
    shown.append(f"/tasks/{numbers['printing']}/attempts/1/environment/")
    for path in [*shown, "/tasks/?status=FOO", "/tasks/new/?kind=demo.coin", "/tasks/424242/"]:
        page = opened(path)
        for fold in page.locator("summary").all():
            fold.click()
        found += faults(page)
    page = opened("/tasks/")
    page.keyboard.press("/")
    page.keyboard.type("status:fa")
    page.get_by_role("option").first.wait_for()
    found += faults(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Rows and columns").click()
    page.locator("#look form").wait_for()
    found += faults(page)
    page = opened("/tasks/")
    page.locator("button.menu").click()
    page.locator("tbody input").first.check()
    found += faults(page)
    for act in ("cancel", "delete"):
        page.locator(f"#{act}").click()
        found += faults(page)
        page.get_by_role("button", name="Keep").click()
    page.keyboard.press("c")
    page.get_by_label("Kind").select_option("demo.coin")
    page.get_by_label("Name").fill("\u202e")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator(".errorlist").first).to_be_visible()
    found += faults(page)
    assert found == []


def test_empty_and_signed_out_pages_break_no_rule(opened: Open, console: Page) -> None:
    found = faults(opened("/tasks/")) + faults(opened("/tasks/?status=FAILED"))
    console.goto("about:blank")  # a poll without its session would lead to the sign-in by itself
    console.context.clear_cookies()
    found += faults(opened("/login/")) + faults(opened("/start/used-long-ago"))
    assert found == []


def test_nothing_scrolls_sideways(opened: Open, console: Page, few_rows: None, numbers: dict[str, int]) -> None:
    asked: dict[str, Any] = {"user": User.objects.get(), "act": "retry", "zone": "UTC", "expected": 0}
    sweep = sweeps.begin(text=f"name:{'W' * 140}", **asked)
    long = [f"/tasks/all/?q={word}:{'W' * 140}" for word in ("name", "statsu")]
    for path in [*every_page(numbers), *long, f"/tasks/all/{sweep.pk}/"]:
        console.set_viewport_size({"width": WIDTHS[0], "height": 740})
        page = opened(path)
        for fold in page.locator("summary").all():
            fold.click()
        assert sideways(page) == {}, path
    console.set_viewport_size({"width": WIDTHS[0], "height": 740})
    page = opened("/tasks/")
    page.get_by_role("link", name="New task").first.click()
    page.get_by_label("Kind").select_option("demo.coin")
    for width in WIDTHS:
        console.set_viewport_size({"width": width, "height": 740})
        assert page.locator("#create").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_the_first_view_weighs_less_than_100_kb_and_asks_no_other_host(
    opened: Open, many: None, numbers: dict[str, int], base_url: str
) -> None:
    page = opened("/tasks/")
    entries = page.evaluate(
        """["navigation", "resource"].flatMap(type => performance.getEntriesByType(type))
             .map(({name, transferSize}) => [name, transferSize])"""
    )
    assert len(entries) > 20
    assert all(url.startswith(base_url) for url, _ in entries)
    assert sum(size - saved(url) for url, size in entries) < 100_000


def saved(url: str) -> int:
    """WhiteNoise sends what is beside a file as .gz, which the tests' own server does not."""
    file = ROOT / urlsplit(url).path.lstrip("/")
    packed = file.with_name(f"{file.name}.gz")
    return file.stat().st_size - packed.stat().st_size if packed.exists() else 0


def test_the_first_view_does_not_shift(opened: Open, console: Page, many: None, numbers: dict[str, int]) -> None:
    console.add_init_script(WATCH_SHIFTS)
    page = opened("/tasks/")
    expect(page.locator("#delete")).to_be_disabled()
    assert page.evaluate("window.shift") < 0.01


def test_the_page_of_a_task_follows_it(opened: Open, make: Make) -> None:
    task = make(name="watched")
    page = opened(f"/tasks/{task.pk}/")
    expect(page.locator(".head .chip")).to_have_text("Queueing")
    now = timezone.now()
    attempt = Attempt.objects.create(task=task, number=1, worker="w1", started_at=now)
    Task.objects.filter(pk=task.pk).update(status="RUNNING", worker="w1", started_at=now)
    tick()
    expect(page.locator(".head .chip")).to_have_text("Running")
    expect(page.locator("#attempt-1")).to_contain_text("w1")
    expect(page.locator(".sentence")).to_contain_text("Running on w1")
    Attempt.objects.filter(pk=attempt.pk).update(status="FINISHED", finished_at=now, run_seconds=1.25)
    Task.objects.filter(pk=task.pk).update(status="FINISHED", value_text="0.123456789", finished_at=now)
    tick()
    expect(page.locator(".big-value")).to_have_text("0.123456789")
    expect(page.locator(".timeline")).to_contain_text("ran 1.25 s")
    number = task.pk
    task.delete()
    tick()
    expect(page.locator("#sheet")).to_contain_text("is gone")
    expect(page).to_have_title(f"Task {number} is gone · Millrace")


def test_marked_text_of_a_traceback_survives_the_polls(opened: Open, numbers: dict[str, int]) -> None:
    page = opened(f"/tasks/{numbers['running']}/")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#facts-title'))")
    Attempt.objects.create(task_id=numbers["running"], number=1, worker="w1", started_at=timezone.now())
    tick()
    expect(page.locator("#attempt-1")).to_be_attached()
    assert page.evaluate("getSelection().toString()") == "Facts"


def test_an_open_fold_of_an_attempt_survives_the_polls(opened: Open, numbers: dict[str, int]) -> None:
    page = opened(f"/tasks/{numbers['retrying']}/")
    page.locator("#error-1 summary").click()
    expect(page.locator("#error-1 .traceback")).to_be_visible()
    Task.objects.filter(pk=numbers["retrying"]).update(
        status="RUNNING", reason="", worker="w1", started_at=timezone.now()
    )
    tick()
    expect(page.locator(".head .chip")).to_have_text("Running")
    expect(page.locator("#error-1 .traceback")).to_be_visible()


def test_a_running_task_counts_alike_wherever_it_counts(opened: Open, numbers: dict[str, int]) -> None:
    page = opened(f"/tasks/{numbers['running']}/")
    expect(page.locator(".sentence")).to_have_text(re.compile(r"for [3-9] s\."))
    shown = page.evaluate("[...document.querySelectorAll('#sheet [data-since]')].map(time => time.textContent)")
    assert len(shown) == 2
    assert len(set(shown)) == 1


def test_why_a_running_task_cannot_be_deleted_is_written_there(opened: Open, numbers: dict[str, int]) -> None:
    page = opened(f"/tasks/{numbers['running']}/")
    expect(page.get_by_text("To delete it, cancel it first.")).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_be_disabled()


def test_a_traceback_is_copied(opened: Open, numbers: dict[str, int]) -> None:
    page = opened(f"/tasks/{numbers['failed']}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == TRACEBACK
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_results_and_parameters_are_copied(opened: Open, make: Make) -> None:
    task = make(status="FINISHED", result='{"a": 1}', params={"x": [2]})
    page = opened(f"/tasks/{task.pk}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for what, text in (("result", '{\n  "a": 1\n}'), ("parameters", '{\n  "x": [\n    2\n  ]\n}')):
        expect(page.locator(f"#{what}")).to_be_visible()
        page.locator(f"[data-copies={what}]").click()
        expect(page.locator(f"[data-copies={what}]")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == text


def test_c_on_the_page_of_a_task_leads_to_the_form(opened: Open, make: Make) -> None:
    page = opened(f"/tasks/{make().pk}/")
    page.keyboard.press("c")
    page.wait_for_url("**/tasks/new/")


def test_a_task_is_deleted_from_its_page(opened: Open, make: Make) -> None:
    task = make(name="goes")
    page = opened(f"/tasks/{task.pk}/")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#confirm")).to_contain_text(f"Delete task {task.pk}?")
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("1 task deleted.")
    expect(page.get_by_text("No tasks yet")).to_be_visible()


def test_a_task_is_cancelled_and_retried_on_its_page(opened: Open, make: Make) -> None:
    task = make(status="RUNNING", worker="w1", started_at=timezone.now())
    page = opened(f"/tasks/{task.pk}/")
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()
    page.locator("#confirm").get_by_role("button", name=f"Cancel task {task.pk}").click()
    expect(page.locator(".head .chip")).to_have_text("Cancelled")
    expect(page.locator("#main")).to_be_focused()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".head .chip")).to_have_text("Queueing")
    page.get_by_role("button", name="Cancel").click()
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    expect(page.locator(".head .chip")).to_have_text("Cancelled")
    page.keyboard.press("r")
    expect(page.locator(".head .chip")).to_have_text("Queueing")
    assert Task.objects.get().attempt == 3


def test_signing_out_ends_the_session(opened: Open) -> None:
    page = opened("/tasks/")
    page.locator("button.menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_contain_text("Sign in")
    page.goto("/tasks/")
    expect(page.locator("h1")).to_contain_text("Sign in")
