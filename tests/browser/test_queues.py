"""Queues and workers operated in a real browser, with and without scripts, at any width."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.queues.models import Queue
from apps.tasks.models import Task
from apps.tasks.recording import record
from tests.browser.test_pages import faults
from tests.queues.rows import a_task, a_worker, waiting
from tests.tasks.events import batch, finished

Open = Callable[[str], Page]


@pytest.fixture
def operator(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    return alice


@pytest.fixture
def queues(operator: User) -> None:
    """One served, one paused, one with work that nobody takes, one whose name never ends."""
    now = timezone.now()
    Queue.objects.create(name="reports", paused_at=now - timedelta(minutes=10), paused_by=operator)
    Queue.objects.create(name="gpu")
    Queue.objects.create(name="a-name-that-never-ends" * 4)
    for queue in ("default", "reports", "gpu"):
        waiting(operator, queue=queue, name=f"waits in {queue}")
    waiting(operator, dispatch_at=None, handed_at=now, queue="gpu")
    waiting(operator, dispatch_at=now + timedelta(hours=1), queue="gpu")


def chip(page: Page, name: str) -> Any:
    return page.locator("tbody tr").filter(has_text=name).locator(".chip")


def test_a_queue_is_paused_resumed_and_purged(opened: Open, queues: None) -> None:
    page = opened("/tasks/")
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page).to_have_title("Queues · Millrace")
    expect(page.locator("#live[data-htmx-powered]")).to_be_attached()
    page.evaluate("window.same = true")
    page.get_by_role("button", name="Pause default").click()
    expect(chip(page, "default")).to_have_text("Paused")
    expect(page.locator(".toast")).to_contain_text("Queue default is paused")
    waiting(User.objects.get(), name="comes later")
    expect(page.locator("tbody tr").filter(has_text="default").locator(".q-waiting")).to_have_text("2")
    assert page.evaluate("window.same")
    page.goto(f"/tasks/{Task.objects.get(name='comes later').pk}/")
    expect(page.locator(".sentence")).to_contain_text("Queue paused by alice")
    page.goto("/queues/")
    page.get_by_role("button", name="Resume default").click()
    expect(chip(page, "default")).to_have_text("Waiting")
    page.get_by_role("link", name="Purge gpu").click()
    expect(page.get_by_label("Type gpu to go on")).to_be_focused()
    page.keyboard.type("gpu")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("3 tasks of the queue gpu are cancelled.")
    expect(chip(page, "gpu")).to_have_text("Idle")


def test_a_worker_is_drained_before_a_reboot(opened: Open, operator: User) -> None:
    a_worker("host-1:7:ab", host="host-1", concurrency=2)
    task = a_task(operator, "host-1:7:ab", name="a long fit")
    page = opened("/workers/")
    worker = page.locator("tbody tr").filter(has_text="host-1:7:ab")
    expect(worker.locator(".chip")).to_have_text("Working")
    worker.get_by_role("button", name="Drain").click()
    expect(worker.locator(".w-status")).to_contain_text("told to drain")
    a_worker("host-1:7:ab", host="host-1", concurrency=2, draining=True, running=[task.pk])
    expect(worker.locator(".chip")).to_have_text("Draining")
    record([batch(finished(task), worker="host-1:7:ab")])
    expect(worker.locator(".chip")).to_have_text("Drained")
    worker.get_by_role("button", name="Resume").click()
    expect(worker.locator(".chip")).to_have_text("Idle")
    worker.get_by_role("button", name="Stop").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Stop worker").click()
    expect(worker.locator(".w-status")).to_contain_text("told to stop")
    a_worker("host-1:7:ab", host="host-1", concurrency=2, draining=True, leaving=True)
    expect(worker).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_state_of_queues_breaks_a_rule_of_accessibility(
    opened: Open, console: Page, queues: None, scheme: Any
) -> None:
    console.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    a_worker("drains", draining=True)
    found = [fault for path in ("/queues/", "/queues/gpu/purge/", "/workers/") for fault in faults(opened(path))]
    assert found == []


def test_no_queue_scrolls_sideways(opened: Open, console: Page, queues: None) -> None:
    for width in (320, 360, 768, 1024, 1100, 1440):
        console.set_viewport_size({"width": width, "height": 740})
        for path in ("/queues/", "/queues/gpu/purge/", "/workers/"):
            page = opened(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_without_javascript_queues_and_workers_are_operated_by_reload(
    browser: Browser, sign_in: Callable[[BrowserContext], None], base_url: str, queues: None
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    sign_in(context)
    page = context.new_page()
    page.goto("/tasks/")
    page.get_by_role("link", name="Queues").click()
    page.get_by_role("button", name="Pause default").click()
    expect(chip(page, "default")).to_have_text("Paused")
    expect(page.locator(".toast")).to_contain_text("Queue default is paused")
    page.get_by_role("link", name="Workers").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop worker w1").click()
    expect(page.locator("tbody")).to_contain_text("told to stop")
    context.close()
