"""The page of workers in a real browser: it lives by itself, at any width, and breaks no rule of accessibility."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.queues.models import Worker
from apps.tasks.recording import record
from tests.browser.test_pages import WIDTHS, faults, saved
from tests.queues.rows import PYTHON, a_task, a_worker, ago
from tests.tasks.events import batch, finished

Open = Callable[[str], Page]
LACKS = {
    "sandbox": "reduced",
    "sandbox_missing": ["A task cannot have namespaces of its own: operation not permitted."],
    "sandbox_fix": "Allow user namespaces: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
}


@pytest.fixture
def crowd(alice: User) -> None:
    """Sixty workers in every state, some with names that never end."""
    bob = User.objects.create_user("bob")
    for n in range(54):
        a_worker(f"node-{n:02}:41{n}:a1b2c3", host=f"node-{n:02}", pid=4100 + n, concurrency=4, environment=PYTHON)
        if n % 3:
            a_task(alice, f"node-{n:02}:41{n}:a1b2c3", name=f"Calibration of March, part {n} of 54, with all strikes")
    long = "ip-10-0-0-1.compute.internal." * 5
    queues = [f"a-queue-with-a-long-name-{n}" for n in range(30)]
    a_worker(f"{long}:1:ab", host=long, queues=queues, concurrency=64, environment={**PYTHON, **LACKS})
    for n in range(12):
        a_task(alice if n < 9 else bob, f"{long}:1:ab", name="w" * 150)
    a_worker("stops", host="n", draining=True, environment={"sandbox": "none", "sandbox_missing": ["No Landlock."]})
    a_worker("late", host="n", seen_seconds_ago=12)
    for n in range(3):
        a_worker(f"gone-{n}", seen_seconds_ago=60 + n)
    a_task(alice, "gone-0", name="left behind")


def test_no_state_of_the_page_breaks_a_rule_of_accessibility(opened: Open, console: Page, crowd: None) -> None:
    console.emulate_media(reduced_motion="reduce")
    page = opened("/workers/")
    page.locator("summary").click()
    found = faults(page)
    page.get_by_role("link", name="Python 3.11.2").first.click()
    expect(page.locator(".packages")).to_contain_text("pandas")
    found += faults(page)
    Worker.objects.all().delete()
    found += faults(opened("/workers/"))
    assert found == []


def test_nothing_scrolls_sideways(opened: Open, console: Page, crowd: None) -> None:
    console.set_viewport_size({"width": WIDTHS[0], "height": 740})
    page = opened("/workers/")
    page.locator("summary").click()
    cut = "cell => [...cell.querySelectorAll('*')].some(each => each.getBoundingClientRect().right > innerWidth)"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not page.locator(".workers").evaluate(cut)


def test_sixty_workers_weigh_less_than_100_kb(opened: Open, crowd: None, base_url: str) -> None:
    page = opened("/workers/")
    assert page.locator("tbody tr").count() > 60
    entries = page.evaluate(
        """["navigation", "resource"].flatMap(type => performance.getEntriesByType(type))
             .map(({name, transferSize}) => [name, transferSize])"""
    )
    assert all(url.startswith(base_url) for url, _ in entries)
    assert 20_000 < sum(size - saved(url) for url, size in entries) < 100_000


def test_workers_come_work_rest_and_are_lost_without_a_reload(opened: Open, alice: User) -> None:
    Worker.objects.all().delete()
    page = opened("/workers/")
    page.evaluate("window.same = true")
    expect(page.locator("#workers")).to_contain_text("No worker is connected")
    a_worker("w7", concurrency=4)
    row = page.locator("tbody tr").filter(has_text="w7")
    expect(row.locator(".chip")).to_have_text("Idle")
    task = a_task(alice, "w7", name="begun")
    expect(row.locator(".chip")).to_have_text("Working")
    expect(row.get_by_role("link", name="begun")).to_have_attribute("href", f"/tasks/{task.pk}/")
    expect(row.locator(".w-slots")).to_have_text("1 / 4")
    expect(page.locator("#workers-summary")).to_have_text("1 connected, 1 of 4 slots busy")
    record([batch(finished(task), worker="w7")])
    expect(row.locator(".chip")).to_have_text("Idle")
    a_worker("w7", concurrency=4, environment={**PYTHON, **LACKS})
    expect(page.locator("#workers-notes")).to_contain_text("A task cannot have namespaces of its own")
    expect(row.get_by_role("link", name="reduced sandbox")).to_be_visible()
    Worker.objects.update(last_seen_at=ago(70))
    expect(row.locator(".chip")).to_have_text("Lost")
    expect(row.locator(".w-seen")).to_contain_text("1 min ago")
    expect(page.locator("#workers")).to_contain_text("No worker is connected")
    Worker.objects.update(last_seen_at=ago(3_601))
    expect(row).to_have_count(0)
    assert page.evaluate("window.same")


def test_a_poll_keeps_what_is_unfolded_marked_and_focused(opened: Open, alice: User) -> None:
    a_worker("w7", queues=[f"queue-{n}" for n in range(9)], environment=PYTHON)
    page = opened("/workers/")
    row = page.locator("tbody tr").filter(has_text="w7")
    row.locator("summary").click()
    row.get_by_role("link", name="Python 3.11.2").focus()
    row.locator(".name").evaluate("name => getSelection().selectAllChildren(name)")
    a_task(alice, "w7", name="begun")
    expect(row).to_contain_text("begun")
    expect(row.locator("details")).to_have_attribute("open", "")
    expect(row.get_by_role("link", name="Python 3.11.2")).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "w7"


def test_g_and_a_letter_go_from_page_to_page(opened: Open) -> None:
    page = opened("/tasks/")
    page.keyboard.press("w")
    page.keyboard.press("g")
    page.keyboard.press("x")
    page.keyboard.press("w")  # no longer right after the g
    expect(page).to_have_title("Tasks · Millrace")
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page).to_have_title("Workers · Millrace")
    page.wait_for_load_state()  # its title is there before its scripts are
    expect(page.get_by_role("link", name="Workers")).to_have_attribute("aria-current", "page")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page).to_have_title("Tasks · Millrace")


def test_without_javascript_all_is_there(
    browser: Browser, sign_in: Callable[[BrowserContext], None], base_url: str, crowd: None
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    sign_in(context)
    page = context.new_page()
    page.goto("/tasks/")
    page.get_by_role("link", name="Workers").click()
    expect(page.locator("tbody tr")).to_have_count(61)
    page.locator("summary").click()
    expect(page.locator("details")).to_contain_text("a-queue-with-a-long-name-29")
    page.get_by_role("link", name="left behind").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("left behind")
    context.close()
