"""Failures by cause in a real browser: a whole group retried, another one deleted, at any width, in both themes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from apps.tasks.models import Task
from apps.tasks.recording import record
from tests.browser.test_pages import faults
from tests.tasks.events import batch, failed

Open = Callable[[str], Page]
Make = Callable[..., Task]
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/handlers/{}.py", line 3, in run\n    {}\nError: no\n'


def fail(task: Task, place: str, line: str = "a / b") -> None:
    event = failed(task, task.attempt)
    event["error"]["traceback"] = TRACEBACK.format(place, line)
    record([batch(event)])


@pytest.fixture
def causes(make: Make) -> None:
    for n in range(3):
        fail(make(name=f"fit {n}"), "fits")
    fail(make(name="a-name-that-never-ends" * 6, queue="q" * 80), "m" * 90, "answer(" + "x" * 200 + ")")


def group(page: Page, place: str) -> Any:
    return page.locator("tbody tr").filter(has_text=f"handlers/{place}")


def test_a_group_is_retried_and_another_deleted(opened: Open, alice: User, make: Make, causes: None) -> None:
    page = opened("/tasks/")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_title("Failures · Millrace")
    expect(page.locator("#live[data-htmx-powered]")).to_be_attached()
    page.evaluate("window.same = true")
    retry = group(page, "fits").get_by_role("button", name="Retry 3 tasks")
    retry.click()
    # What fails while the question stands there was not asked about.
    fail(make(name="fails meanwhile"), "fits")
    expect(group(page, "fits").locator(".f-count")).to_have_text("4")
    page.get_by_role("alertdialog").get_by_role("button", name="Retry 3 tasks").click()
    expect(page.locator(".toast")).to_contain_text("3 tasks retried.")
    expect(group(page, "fits").locator(".f-count")).to_have_text("1")
    assert Task.objects.filter(status="QUEUEING", attempt=2).count() == 3
    group(page, "m").get_by_role("button", name="Delete 1 task").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete 1 task").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.evaluate("window.same")
    group(page, "fits").get_by_role("link", name="ValueError").click()
    expect(page.locator(".failed-tasks")).to_contain_text("fails meanwhile")
    expect(page.locator("#live[data-htmx-powered]")).to_be_attached()
    page.evaluate("window.same = true")
    fail(make(name="fails later"), "fits")
    expect(page.locator(".failed-tasks tbody tr").first).to_contain_text("fails later")
    page.get_by_role("button", name="Delete 2 tasks").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete 2 tasks").click()
    expect(page.locator(".toast")).to_contain_text("2 tasks deleted.")
    expect(page.locator(".empty-title")).to_have_text("No task is failed for this cause")
    assert page.evaluate("window.same")
    page.get_by_role("link", name="To the failures").click()
    expect(page.locator(".empty-title")).to_have_text("Nothing has failed")


def test_no_state_of_failures_breaks_a_rule_or_scrolls_sideways(opened: Open, console: Page, causes: None) -> None:
    opened("/failures/")
    address = console.locator(".failures .name").first.get_attribute("href") or ""
    paths = ("/failures/", address, "/failures/0123456789abcdef/")
    assert [fault for path in paths for fault in faults(opened(path))] == []
    for width in (320, 360, 768, 1024, 1100, 1440):
        console.set_viewport_size({"width": width, "height": 740})
        for path in paths:
            page = opened(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
